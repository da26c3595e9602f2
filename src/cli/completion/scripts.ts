/**
 * What shells run to complete `sspec`. All ask the program itself (`sspec complete`), which knows its flags and names; it answers with
 * a line for each word, and last with what files may stand there.
 */
export const SCRIPTS = {
  bash: `_sspec() {
  local line cur="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      :files) compopt -o filenames
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "\${cur#=}") ;;
      :dirs) compopt -o filenames
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -d -- "\${cur#=}") ;;
      *) COMPREPLY+=("$line") ;;
    esac
  done < <("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _sspec sspec`,
  zsh: `(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
_sspec() {
  local line
  local -a found
  for line in "\${(@f)$("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case "$line" in
      :files) _files ;;
      :dirs) _files -/ ;;
      ?*) found+=("$line") ;;
    esac
  done
  (( $#found )) && compadd -- "\${found[@]}"
}
compdef _sspec sspec`,
  fish: `function __sspec_complete
    set -l before (commandline -opc)
    set -l word (commandline -ct)
    for line in ($before[1] complete -- $before[2..] "$word" 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path "$word"
            case ':dirs'
                __fish_complete_directories "$word"
            case '*'
                echo $line
        end
    end
end
complete -c sspec -f -a '(__sspec_complete)'`,
} as const;
