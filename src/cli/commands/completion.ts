import { RegistryError } from "../../index.ts";
import type { Run } from "../command.ts";

/** Each script asks `gantry __complete` and hands the answer to its shell; lines with a colon first are directions. */
const scripts: Readonly<Record<string, string>> = {
  // bash splits words at : = and @, and replaces only what is behind the last of them.
  bash: `# bash completion for gantry
_gantry() {
  local line="\${COMP_LINE:0:COMP_POINT}" words current prefix candidate about
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current="\${words[\${#words[@]} - 1]}"
  prefix="\${current%"\${current##*[:=@]}"}"
  COMPREPLY=()
  while IFS=$'\\t' read -r candidate about; do
    case $candidate in
      :files) compopt -o default ;;
      :directories) compopt -o dirnames ;;
      :nospace) compopt -o nospace ;;
      *) COMPREPLY+=("\${candidate#"$prefix"}") ;;
    esac
  done < <("\${words[0]}" __complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -F _gantry gantry
`,
  zsh: `#compdef gantry
_gantry() {
  local candidate about
  local -a found ending files
  while IFS=$'\\t' read -r candidate about; do
    case $candidate in
      :files) files=(_files) ;;
      :directories) files=(_files -/) ;;
      :nospace) ending=(-S '') ;;
      *) found+=("\${candidate//:/\\\\:}:$about") ;;
    esac
  done < <("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( $#found )) && _describe -t gantry gantry found "\${(@)ending}"
  (( $#files )) && $files
}
if [[ $funcstack[1] == _gantry ]]; then _gantry "$@"; else compdef _gantry gantry; fi
`,
  fish: `# fish completion for gantry
function __gantry_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    for line in ($before[1] __complete -- $before[2..-1] "$current" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path "$current"
            case :directories
                __fish_complete_directories "$current"
            case ':*'
            case '*'
                echo $line
        end
    end
end
complete -c gantry -f -a '(__gantry_complete)'
`,
};

export const run: Run<[shell: string]> = async ([shell], { out }) => {
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
  if (script === undefined)
    throw new RegistryError("INVALID", `there is no completion for ${JSON.stringify(shell)}`, {
      hint: "bash, zsh and fish have one",
    });
  await out.print(script, (text) => text);
};
