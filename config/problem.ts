/** One mistake in a configuration. Lines and columns count from 1. Never tells what an environment variable or a file gave. */
export type ConfigProblem = {
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** The nearest known name, where a name is not known. */
  readonly suggestion?: string;
};

/** A step from the root of a configuration towards a value. */
export type ConfigPath = readonly (string | number)[];

/** A mistake before it is known where in the text it stands. */
export type PathProblem = {
  readonly path: ConfigPath;
  /** Whether the name of the member is wrong, rather than its value. */
  readonly atName?: boolean;
  readonly message: string;
  readonly suggestion?: string;
};

/** `FILE:LINE:COL: message (did you mean X?)` */
export function formatProblem(file: string, problem: ConfigProblem): string {
  return `${file}:${problem.line}:${problem.column}: ${explainProblem(problem)}`;
}

/** `message (did you mean X?)` */
export function explainProblem({ message, suggestion }: ConfigProblem): string {
  return suggestion === undefined ? message : `${message} (did you mean ${suggestion}?)`;
}

/** A path as people write it: `routes[0].place.holders`. */
export function formatPath(path: ConfigPath): string {
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("")
    .replace(/^\./u, "");
}
