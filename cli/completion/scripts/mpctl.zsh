#compdef mpctl
_mpctl() {
  local -a words_before candidates
  local line directive value
  words_before=("${(@Q)words[2,CURRENT-1]}")
  while IFS= read -r line; do
    case $line in
      :*) directive=${line#:} ;;
      *)
        value=${line%%$'\t'*}
        candidates+=("${value//:/\\:}:${line#*$'\t'}")
        ;;
    esac
  done < <(command mpctl complete -- "${words_before[@]}" "${(Q)PREFIX}" 2>/dev/null)
  if [[ $directive == 0 ]]; then
    compset -P '--*='
    _files
  else
    _describe -V mpctl candidates
  fi
}
# As a file in fpath it is the function's body, otherwise it registers the function.
if [[ $funcstack[1] == _mpctl ]]; then
  _mpctl "$@"
else
  compdef _mpctl mpctl
fi
