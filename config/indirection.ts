/** Where `${env:NAME}` and `${file:/path}` look. */
export type IndirectionSources = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Reads a UTF-8 file whole; throws what the disk says. */
  readonly readFile: (path: string) => string;
};

export type Resolved = { readonly text: string; readonly isIndirect: boolean; readonly problems: readonly string[] };

const REFERENCE = /\$\{([^}]*)\}/gu;
const ENVIRONMENT = /^env:([A-Za-z_][A-Za-z0-9_]*)$/u;
const FILE = /^file:(\/.+|[A-Za-z]:[\\/].+)$/u;

/** Puts what `${env:NAME}` and `${file:/path}` name into a text, once: what comes out is not searched again. A file loses one trailing line end. */
export function resolveIndirections(text: string, sources: IndirectionSources): Resolved {
  const problems: string[] = [];
  const resolved = text.replace(REFERENCE, (_, reference: string) => {
    const { value, problem } = resolveOne(reference, sources);
    if (problem !== undefined) problems.push(problem);
    return value ?? "";
  });
  if (text.replace(REFERENCE, "").includes("${")) problems.push("wanted a } after ${");
  return { text: resolved, isIndirect: text.includes("${"), problems };
}

function resolveOne(
  reference: string,
  { environment, readFile }: IndirectionSources,
): { value?: string; problem?: string } {
  const name = ENVIRONMENT.exec(reference)?.[1];
  if (name !== undefined) {
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    return value === undefined ? { problem: `environment variable ${name} is not set` } : { value };
  }
  const path = FILE.exec(reference)?.[1];
  if (path === undefined) return { problem: `wanted \${env:NAME} or \${file:/absolute/path}, got \${${reference}}` };
  try {
    return { value: readFile(path).replace(/\r?\n$/u, "") };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "error";
    return { problem: `cannot read ${path}: ${code}` };
  }
}
