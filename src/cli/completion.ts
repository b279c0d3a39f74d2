import { Argument, type Command } from "commander";
import type { Session } from "./session.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

/** A command as a shell completes it: the words before it, and what may follow. */
type Place = { readonly path: string; readonly words: readonly string[]; readonly options: readonly string[] };

/** Prints a script that completes commands, verbs and options; names of keys are not asked for. */
export function registerCompletion(program: Command, session: Session): void {
  program
    .command("completion")
    .description("print the completion of a shell: source <(npx claviger completion bash)")
    .addArgument(new Argument("<shell>", "for which shell").choices(SHELLS))
    .action(async (shell: Shell) => {
      await session.print(SCRIPTS[shell](placesOf(program)));
    });
}

function placesOf(command: Command, path = ""): readonly Place[] {
  const here: Place = {
    path,
    words: command.commands.map((child) => child.name()),
    options: command.options.flatMap(({ long }) => (long === undefined || long === null ? [] : [long])),
  };
  const below = command.commands.flatMap((child) =>
    placesOf(child, path === "" ? child.name() : `${path} ${child.name()}`),
  );
  return [here, ...below];
}

/** Every place takes the options of the whole program too. */
function candidates(places: readonly Place[], { words, options }: Place): string {
  return [...words, ...new Set([...options, ...(places[0]?.options ?? [])])].join(" ");
}

/** The two words after the command say where it stands; whatever begins with a dash is left out. */
function shellScript(places: readonly Place[]): string {
  const cases = places.map((place) => `    ${JSON.stringify(place.path)}) echo "${candidates(places, place)}" ;;`);
  return `_claviger_words() {
  case "$1" in
${cases.join("\n")}
    *) return 1 ;;
  esac
}
`;
}

const SCRIPTS: Readonly<Record<Shell, (places: readonly Place[]) => string>> = {
  bash: (places) => `${shellScript(places)}_claviger() {
  local word path="" words
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in claviger|-*) continue ;; esac
    _claviger_words "\${path:+$path }$word" >/dev/null && path="\${path:+$path }$word"
  done
  words="$(_claviger_words "$path")"
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
  [ "\${#COMPREPLY[@]}" -gt 0 ] || COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _claviger claviger
`,
  zsh: (places) => `#compdef claviger
${shellScript(places)}_claviger() {
  local word path_="" ; local -a found
  for word in "\${words[@]:1:$((CURRENT-2))}"; do
    case "$word" in claviger|-*) continue ;; esac
    _claviger_words "\${path_:+$path_ }$word" >/dev/null && path_="\${path_:+$path_ }$word"
  done
  found=(\${=$(_claviger_words "$path_")})
  compadd -a found
  _files
}
compdef _claviger claviger
`,
  fish: (places) =>
    `${places.flatMap((place) => fishLines(places, place)).join("\n")}
`,
};

function fishLines(places: readonly Place[], place: Place): readonly string[] {
  const seen = place.path.split(" ").filter((word) => word !== "");
  const top = (places[0]?.words ?? []).join(" ");
  const condition =
    seen.length === 0
      ? `not __fish_seen_subcommand_from ${top}`
      : [
          ...seen.map((word) => `__fish_seen_subcommand_from ${word}`),
          ...(place.words.length === 0 ? [] : [`not __fish_seen_subcommand_from ${place.words.join(" ")}`]),
        ].join("; and ");
  const words =
    place.words.length === 0 ? [] : [`complete -c claviger -n '${condition}' -f -a '${place.words.join(" ")}'`];
  return [...words, ...place.options.map((option) => `complete -c claviger -n '${condition}' -l ${option.slice(2)}`)];
}
