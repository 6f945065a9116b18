# bash completion for hrvm: asks hrvm itself what could come next.
_hrvm() {
  local line=${COMP_LINE:0:COMP_POINT} words candidate last prefix
  # bash splits words at "@", ":" and "=" as well: the line is split anew, at white space alone.
  read -a words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  last=${words[-1]}
  # What readline replaces begins behind the last of those characters.
  prefix=${last%"${last##*[@:=]}"}
  COMPREPLY=()
  compopt +o nospace 2> /dev/null
  while IFS=$'\t' read -r candidate _; do
    case $candidate in
      :files) compopt -o filenames 2> /dev/null; while read -r candidate; do COMPREPLY+=("$candidate"); done < <(compgen -f -- "${last#"$prefix"}") ;;
      :folders) compopt -o filenames 2> /dev/null; while read -r candidate; do COMPREPLY+=("$candidate"); done < <(compgen -d -- "${last#"$prefix"}") ;;
      *)
        [[ $candidate == *[@=] ]] && compopt -o nospace 2> /dev/null
        COMPREPLY+=("${candidate#"$prefix"}")
        ;;
    esac
  done < <("${words[0]}" __complete -- "${words[@]:1}" 2> /dev/null)
}
complete -F _hrvm hrvm
