import type { z } from "zod";
import { type ConfigPath, formatPath, type PathProblem } from "./problem.ts";
import { suggestName } from "./suggest.ts";

type Issue = z.core.$ZodIssue;

type IssueContext = {
  readonly schema: z.ZodType;
  /** What was parsed. */
  readonly input: unknown;
  /** Where in the configuration it stands. */
  readonly prefix: ConfigPath;
  /** Whether what came must not be told. */
  readonly isSecret: (path: ConfigPath) => boolean;
};

/** The issues of a schema as an operator wants them: which member, what was wanted, what came. */
export function toPathProblems(error: z.ZodError, context: IssueContext): readonly PathProblem[] {
  const problems = error.issues.flatMap((issue) => fromIssue(issue, context));
  return problems.filter(({ path }, index) => problems.findIndex((other) => isSame(other.path, path)) === index);
}

function isSame(one: ConfigPath, other: ConfigPath): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function fromIssue(issue: Issue, { schema, input, prefix, isSecret }: IssueContext): readonly PathProblem[] {
  const inner = issue.path.filter((step) => typeof step !== "symbol");
  const path = [...prefix, ...inner];
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((name) => unknownMember([...path, name], membersAt(schema, inner)));
  const value = valueAt(input, inner);
  const atName = issue.code === "invalid_key" || (issue.code === "custom" && issue.params?.["atName"] === true);
  const isUntold =
    atName || issue.code === "custom" || isSecret(path) || (Array.isArray(value) && issue.code !== "invalid_type");
  const got = isUntold ? "" : tell(value);
  const known =
    issue.code === "invalid_value" && typeof value === "string"
      ? suggestName(value, issue.values.map(String))
      : undefined;
  const message = `${formatPath(path) || "the configuration"}: ${wantedOf(issue)}${got}`;
  return [{ path, message, ...(atName ? { atName } : {}), ...(known === undefined ? {} : { suggestion: known }) }];
}

/** A member that is not known where it stands. */
export function unknownMember(path: ConfigPath, known: readonly string[]): PathProblem {
  const suggestion = suggestName(String(path.at(-1)), known);
  const message = `${formatPath(path)}: there is no such member`;
  return { path, atName: true, message, ...(suggestion === undefined ? {} : { suggestion }) };
}

function wantedOf(issue: Issue): string {
  if (issue.code === "invalid_value")
    return `wanted ${issue.values.map(String).join(", ")}`.replace(/, ([^,]*)$/u, " or $1");
  if (issue.code === "invalid_type" && issue.expected === "object") return "wanted a mapping";
  return issue.code === "invalid_key" ? (issue.issues[0]?.message ?? issue.message) : issue.message;
}

function tell(value: unknown): string {
  if (value === undefined) return ", got nothing";
  if (value === null) return ", got an empty value";
  if (Array.isArray(value)) return ", got a list";
  return typeof value === "object" ? ", got a mapping" : `, got ${JSON.stringify(value).slice(0, 100)}`;
}

function valueAt(input: unknown, path: ConfigPath): unknown {
  let value = input;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Readonly<Record<string | number, unknown>>)[step];
  }
  return value;
}

/** The names that the object of a schema at a path knows. */
function membersAt(type: z.core.$ZodType, path: ConfigPath): readonly string[] {
  const { def } = type as z.ZodType;
  if (isDef(def, "optional") || isDef(def, "default") || isDef(def, "prefault")) return membersAt(def.innerType, path);
  if (isDef(def, "array")) return membersAt(def.element, path.slice(1));
  if (!isDef(def, "object")) return [];
  const [step, ...rest] = path;
  const member = step === undefined ? undefined : def.shape[String(step)];
  if (step === undefined) return Object.keys(def.shape);
  return member === undefined ? [] : membersAt(member, rest);
}

type Defs = {
  readonly optional: z.core.$ZodOptionalDef;
  readonly default: z.core.$ZodDefaultDef;
  readonly prefault: z.core.$ZodPrefaultDef;
  readonly array: z.core.$ZodArrayDef;
  readonly object: z.core.$ZodObjectDef;
};

function isDef<T extends keyof Defs>(def: z.core.$ZodTypeDef, type: T): def is Defs[T] & z.core.$ZodTypeDef {
  return def.type === type;
}
