# bash completion for mpctl
_mpctl() {
  local rest=${COMP_LINE:0:COMP_POINT} words=() joined=0 trimmed word index
  COMPREPLY=()
  for ((index = 0; index <= COMP_CWORD; index++)); do
    trimmed=${rest#"${rest%%[![:blank:]]*}"}
    if ((index < COMP_CWORD)); then word=${COMP_WORDS[index]}; else word=$trimmed; fi
    # The word of a redirection, or of another command.
    if [[ $word == [\<\>\|\&\;\(\)]* ]]; then
      compopt -o default 2>/dev/null
      return
    fi
    if ((index > 0)) && [[ $trimmed == "$rest" && (joined -eq 1 || $word == [=:]*) ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
    [[ $word == *[=:] ]] && joined=1 || joined=0
    rest=${trimmed:${#word}}
  done
  local current=${words[-1]} line directive value cut
  words=("${words[@]//[\\\"\']/}")
  cut=${current%"${current##*[=:]}"}
  while IFS= read -r line; do
    case $line in
      :*) directive=${line#:} ;;
      *)
        value=${line%%$'\t'*}
        printf -v value '%q' "${value#"$cut"}"
        COMPREPLY+=("$value")
        ;;
    esac
  done < <(command mpctl complete -- "${words[@]:1}" 2>/dev/null)
  if [[ $directive == 0 ]]; then compopt -o default 2>/dev/null; fi
}
complete -F _mpctl mpctl
