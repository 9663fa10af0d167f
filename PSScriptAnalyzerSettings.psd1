@{
    ExcludeRules = @(
        # Pester's blocks share variables, which the rule does not see.
        'PSUseDeclaredVarsMoreThanAssignments'
        # Nor does this one see a parameter that is used in a block or a function inside.
        'PSReviewUnusedParameter'
        # The tests call programs with as many arguments as they take.
        'PSAvoidUsingPositionalParameters'
    )
}
