# bash completion for hrvm: asks hrvm itself what could come next.
_hrvm() {
  local line=${COMP_LINE:0:COMP_POINT} words last tail break candidate prefix paths=
  # bash splits words at ":", "=" and "@" as well: the line is split anew, at white space alone.
  read -a words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  last=${words[-1]}
  # Only what stands behind such a character is replaced; "@" itself belongs to it.
  tail=$last
  for break in : =; do [[ $COMP_WORDBREAKS == *$break* ]] && tail=${tail##*$break}; done
  [[ $COMP_WORDBREAKS == *@* && $tail == *@* ]] && tail=@${tail##*@}
  prefix=${last%"$tail"}
  COMPREPLY=()
  while IFS=$'\t' read -r candidate _; do
    case $candidate in
      :files) paths=-f ;;
      :folders) paths=-d ;;
      *[=@]) compopt -o nospace 2> /dev/null ;;&
      *) COMPREPLY+=("${candidate#"$prefix"}") ;;
    esac
  done < <("${words[0]}" __complete -- "${words[@]:1}" 2> /dev/null)
  [[ $paths ]] || return 0
  compopt -o filenames 2> /dev/null
  while read -r candidate; do COMPREPLY+=("$candidate"); done < <(compgen $paths -- "$tail")
}
complete -F _hrvm hrvm
