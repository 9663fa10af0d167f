@{
    ExcludeRules = @(
        # Pester's blocks share variables, which the rule does not see.
        'PSUseDeclaredVarsMoreThanAssignments'
        # The tests call programs with as many arguments as they take.
        'PSAvoidUsingPositionalParameters'
    )
}
