<#
.SYNOPSIS
    Makes the help that Get-Help shows from the pages in docs/help, one for each cmdlet.
.DESCRIPTION
    A page holds prose and examples alone. Syntax, types, positions, aliases and pipeline flags are taken from the
    cmdlet itself; the syntax is also written back into the page, for those who read it there.
.PARAMETER OutputPath
    Where to write the help; the file in en-US unless given. Then the pages, too, are left as they are.
#>
param([string] $OutputPath)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module "$PSScriptRoot/HelpPage.psm1"

$checkout = Split-Path $PSScriptRoot
$namespaces = @{
    command = 'http://schemas.microsoft.com/maml/dev/command/2004/10'
    dev     = 'http://schemas.microsoft.com/maml/dev/2004/10'
    maml    = 'http://schemas.microsoft.com/maml/2004/10'
}
$commonText = @{
    WhatIf  = 'Shows what would happen. Nothing is changed.'
    Confirm = 'Asks before anything is changed.'
}

# A block as content sees the names below before those of the function that it was written in.
function Write-Element {
    param([string] $Tag, [object] $Content, [Collections.IDictionary] $Attribute = @{})

    $prefix, $local = $Tag -split ':'
    $writer.WriteStartElement($prefix, $local, $namespaces[$prefix])
    foreach ($key in $Attribute.Keys) {
        $writer.WriteAttributeString($key, $Attribute[$key])
    }

    if ($Content -is [scriptblock]) {
        & $Content
    } else {
        $writer.WriteString($Content)
    }

    $writer.WriteEndElement()
}

function Write-Paragraph {
    param([object[]] $Block)

    foreach ($entry in $Block) {
        Write-Element maml:para $entry.Text
    }
}

function Write-Description {
    param([object[]] $Block)

    Write-Element maml:description { Write-Paragraph $Block }
}

# The parameters of a set as a user types them: by position, then those that are needed, then the others.
function Get-SetParameter {
    param([Management.Automation.CommandParameterSetInfo] $Set)

    $Set.Parameters | Where-Object { -not (Test-Common $_.Name) } |
        Sort-Object -Stable { $_.Position -lt 0 }, { $_.Position }, { -not $_.IsMandatory }, { $_.Name -in 'WhatIf', 'Confirm' }
}

function Test-Common {
    param([string] $Name)

    $Name -in [Management.Automation.Cmdlet]::CommonParameters
}

function Get-ValueType {
    param([Type] $Type)

    [Nullable]::GetUnderlyingType($Type) ?? $Type
}

# A parameter as one set has it, or as the sets together have it.
function Write-Parameter {
    param([Management.Automation.CommandParameterInfo[]] $InSet, [switch] $InSyntax)

    $parameter = $InSet[0]
    $pipeline = @(
        if ($true -in $InSet.ValueFromPipeline) { 'ByValue' }
        if ($true -in $InSet.ValueFromPipelineByPropertyName) { 'ByPropertyName' }
    )
    $attributes = [ordered]@{
        required       = "$($parameter.IsMandatory)".ToLowerInvariant()
        variableLength = "$($parameter.ParameterType.IsArray)".ToLowerInvariant()
        globbing       = "$([bool] ($parameter.Attributes | Where-Object { $_ -is [Management.Automation.SupportsWildcardsAttribute] }))".ToLowerInvariant()
        pipelineInput  = $pipeline ? "True ($($pipeline -join ', '))" : 'False'
        position       = $parameter.Position -lt 0 ? 'named' : $parameter.Position
        aliases        = $parameter.Aliases -join ', '
    }
    $type = Get-ValueType $parameter.ParameterType
    $isSwitch = $type -eq [switch]
    $blocks = @($descriptions[$parameter.Name])
    $default = $blocks[-1].Text -match '^Default: (?<text>.+?)\.?$' ? $Matches.text : $null
    Write-Element command:parameter -Attribute $attributes {
        Write-Element maml:name $parameter.Name
        Write-Description ($default ? $blocks[0..($blocks.Count - 2)] : $blocks)
        if ($InSyntax -and $type.IsEnum) {
            Write-Element command:parameterValueGroup {
                foreach ($name in [Enum]::GetNames($type)) {
                    Write-Element command:parameterValue $name ([ordered]@{ required = 'false'; variableLength = 'false' })
                }
            }
        } elseif (-not ($InSyntax -and $isSwitch)) {
            Write-Element command:parameterValue $type.Name ([ordered]@{ required = "$(-not $isSwitch)".ToLowerInvariant(); variableLength = $attributes.variableLength })
        }

        Write-Element dev:type { Write-Element maml:name $type.FullName; Write-Element maml:uri '' }
        Write-Element dev:defaultValue ($default ?? ($isSwitch ? 'False' : 'None'))
    }
}

# Inputs and outputs: types by name, each with what is said of it.
function Write-Type {
    param([string] $Outer, [string] $Inner, [Collections.IDictionary] $Section)

    Write-Element $Outer {
        foreach ($name in $Section.Keys | Where-Object { $_ }) {
            Write-Element $Inner {
                Write-Element dev:type { Write-Element maml:name $name; Write-Element maml:uri '' }
                Write-Description (ConvertTo-HelpBlock $Section[$name])
            }
        }
    }
}

function Write-Example {
    param([int] $Number, [string] $Title, [object[]] $Block)

    $code = @($Block | Where-Object IsCode)
    if ($code.Count -ne 1) {
        throw "The example '$Title' has $($code.Count) blocks of code; it needs one."
    }

    Write-Element command:example {
        Write-Element maml:title "--------------- Example ${Number}: $(ConvertTo-HelpText $Title) ---------------"
        Write-Element dev:code $code[0].Text
        # Here, not in the introduction: Get-Help would begin the code on the last line of that.
        Write-Element dev:remarks { Write-Paragraph ($Block | Where-Object { -not $_.IsCode }); Write-Element maml:para '' }
    }
}

function Write-Command {
    param([Management.Automation.CmdletInfo] $Command, [hashtable] $Page)

    $all = [Collections.Generic.SortedDictionary[string, object]]::new()
    foreach ($set in $Command.ParameterSets | Sort-Object -Stable { -not $_.IsDefault }) {
        foreach ($parameter in Get-SetParameter $set) {
            $all[$parameter.Name] = @($all[$parameter.Name] | Where-Object { $_ }) + $parameter
        }
    }

    $descriptions = @{}
    foreach ($name in $all.Keys) {
        $descriptions[$name] = if ($Page['PARAMETERS'].Contains($name)) {
            ConvertTo-HelpBlock $Page['PARAMETERS'][$name]
        } elseif ($commonText.ContainsKey($name)) {
            [pscustomobject]@{ IsCode = $false; Text = $commonText[$name] }
        } else {
            throw "The page of $($Command.Name) does not describe -$name."
        }
    }

    $unknown = $Page['PARAMETERS'].Keys | Where-Object { $_ -and -not $all.ContainsKey($_) }
    if ($unknown) {
        throw "$($Command.Name) has no parameter '$unknown'."
    }

    Write-Element command:command {
        Write-Element command:details {
            Write-Element command:name $Command.Name
            Write-Element command:verb $Command.Verb
            Write-Element command:noun $Command.Noun
            Write-Description (ConvertTo-HelpBlock $Page['SYNOPSIS'][''])
        }
        Write-Description (ConvertTo-HelpBlock $Page['DESCRIPTION'][''])
        Write-Element command:syntax {
            foreach ($set in $Command.ParameterSets) {
                Write-Element command:syntaxItem {
                    Write-Element maml:name $Command.Name
                    Get-SetParameter $set | ForEach-Object { Write-Parameter $_ -InSyntax }
                }
            }
        }
        Write-Element command:parameters {
            $all.Values | ForEach-Object { Write-Parameter $_ }
        }
        Write-Type command:inputTypes command:inputType $Page['INPUTS']
        Write-Type command:returnValues command:returnValue $Page['OUTPUTS']
        Write-Element maml:alertSet {
            Write-Element maml:alert { Write-Paragraph (ConvertTo-HelpBlock $Page['NOTES']['']) }
        }
        Write-Element command:examples {
            $number = 0
            foreach ($title in $Page['EXAMPLES'].Keys | Where-Object { $_ }) {
                $number++
                Write-Example $number $title (ConvertTo-HelpBlock $Page['EXAMPLES'][$title])
            }
        }
        Write-Element command:relatedLinks {
            # Get-Help -Online opens the first link.
            Write-Link 'Online version:' $Command.HelpUri
            foreach ($line in $Page['RELATED LINKS'][''] -match '^- ') {
                $null = $line -match '\[(?<text>[^\]]+)\]\((?<uri>[^)]+)\)'
                # The other pages are reached by the names of their cmdlets.
                Write-Link $Matches.text ($Matches.uri.StartsWith('https:') ? $Matches.uri : '')
            }
        }
    }
}

function Write-Link {
    param([string] $Text, [string] $Uri)

    Write-Element maml:navigationLink {
        Write-Element maml:linkText $Text
        Write-Element maml:uri $Uri
    }
}

# The syntax as Get-Command tells it, in lines that fit a page.
function Format-Syntax {
    param([Management.Automation.CmdletInfo] $Command)

    $sets = foreach ($syntax in (Get-Command $Command.Name -Syntax) -split '\r?\n' -match '\S') {
        ($syntax -replace '(.{1,116})( (?=\[|-)|$)', "`$1`n    ").TrimEnd()
    }

    ($sets -join "`n`n") + "`n"
}

Import-Module "$checkout/BtrfsClone.psd1"
$target = $OutputPath ? $OutputPath : "$checkout/en-US/BtrfsClone.PowerShell.dll-Help.xml"
$text = [IO.StringWriter]::new()
$writer = [Xml.XmlWriter]::Create($text, [Xml.XmlWriterSettings] @{ Indent = $true; NewLineChars = "`n"; OmitXmlDeclaration = $true })
$writer.WriteStartElement('helpItems', 'http://msh')
$writer.WriteAttributeString('schema', 'maml')
foreach ($prefix in 'command', 'dev', 'maml') {
    $writer.WriteAttributeString('xmlns', $prefix, $null, $namespaces[$prefix])
}

foreach ($command in Get-Command -Module BtrfsClone | Sort-Object Name) {
    $path = "$PSScriptRoot/help/$($command.Name).md"
    Write-Command $command (Read-HelpPage $path)
    if (-not $OutputPath) {
        $page = [IO.File]::ReadAllText($path)
        $fence = '```'
        $pattern = [regex] "(?s)(?<=\n## SYNTAX\n\n$fence\w*\n).*?(?=$fence)"
        [IO.File]::WriteAllText($path, $pattern.Replace($page, (Format-Syntax $command), 1))
    }
}

$writer.WriteEndElement()
$writer.Flush()
[IO.File]::WriteAllText($target, "<?xml version=`"1.0`" encoding=`"utf-8`"?>`n$text`n")
