# fish completion for mpctl
function __mpctl_complete
  set -l before (commandline -opc)
  set -l current (commandline -ct)
  set -l lines (command mpctl complete -- $before[2..-1] "$current" 2>/dev/null)
  if contains -- :0 $lines
    set -l flag (string match -r -- '^--[^=]*=' "$current")
    for path in (__fish_complete_path (string replace -r -- '^--[^=]*=' '' "$current"))
      echo "$flag$path"
    end
  else
    string match -v -r -- '^:[0-9]+$' $lines
  end
end
complete -c mpctl -e
complete -c mpctl -f -a '(__mpctl_complete)'
