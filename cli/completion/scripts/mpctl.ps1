# PowerShell completion for mpctl
Register-ArgumentCompleter -Native -CommandName mpctl -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
    Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.Extent.Text })
  # Versions before 7.3 pass no empty argument to a program, so an empty last word is a space.
  $words += if ($wordToComplete) { $wordToComplete } else { ' ' }
  foreach ($line in @(& mpctl complete -- @words 2>$null)) {
    if ($line -match '^:\d+$') { continue }
    $value, $description = $line -split [char]9, 2
    if (-not $description) { $description = $value }
    [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $description)
  }
}
