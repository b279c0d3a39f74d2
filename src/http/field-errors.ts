import type { z } from "zod";
import type { FieldError } from "#core/errors.ts";

type Issue = z.core.$ZodIssue;

/** The issues of a schema as the interface tells them: one {@link FieldError} per wrong field. Never says what came, which may be secret. */
export function toFieldErrors(error: z.ZodError, input: unknown): readonly FieldError[] {
  const errors = error.issues.flatMap((issue) => fromIssue(issue, input, []));
  const isFirst = ({ pointer, code }: FieldError, index: number): boolean =>
    errors.findIndex((other) => other.pointer === pointer && other.code === code) === index;
  return errors.filter((field, index) => isFirst(field, index));
}

function fromIssue(issue: Issue, input: unknown, prefix: readonly PropertyKey[]): readonly FieldError[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((name) => ({
      pointer: pointerOf([...path, name]),
      code: "unknown-field",
      detail: "there is no such field",
    }));
  }
  const option = closestOption(issue, valueAt(input, path));
  if (option !== undefined && option.length > 0) return option.flatMap((inner) => fromIssue(inner, input, path));
  return [
    {
      pointer: pointerOf(path),
      code: codeOf(issue, valueAt(input, path)),
      detail: detailOf(issue, valueAt(input, path)),
    },
  ];
}

/** The issues of the first option of a union whose type fits; undefined for what is no such union, or where none fits. */
function closestOption(issue: Issue, value: unknown): readonly Issue[] | undefined {
  if (issue.code !== "invalid_union" || issue.discriminator !== undefined) return undefined;
  return issue.errors.find((option) =>
    option.every((inner) => inner.path.length > 0 || codeOf(inner, value) !== "type"),
  );
}

function codeOf(issue: Issue, value: unknown): FieldError["code"] {
  if (value === undefined && issue.code !== "custom") return "required";
  switch (issue.code) {
    case "invalid_type":
      return issue.expected === "int" ? "range" : "type";
    case "too_big":
    case "too_small":
      return issue.origin === "string" || issue.origin === "array" ? "length" : "range";
    case "not_multiple_of":
      return "range";
    case "invalid_value":
      return typeof value === typeof issue.values[0] ? "enum" : "type";
    case "invalid_union":
      return issue.discriminator !== undefined && typeof value === "string" ? "enum" : "type";
    case "custom":
      return customCode(issue.params);
    case "unrecognized_keys":
      return "unknown-field";
    case "invalid_format":
    case "invalid_key":
    case "invalid_element":
      return "format";
  }
}

const CODES: ReadonlySet<string> = new Set<FieldError["code"]>([
  "unknown-field",
  "required",
  "type",
  "format",
  "range",
  "length",
  "enum",
  "duplicate",
  "conflict",
]);

function customCode(params: Readonly<Record<string, unknown>> | undefined): FieldError["code"] {
  const code = params?.["code"];
  return typeof code === "string" && CODES.has(code) ? (code as FieldError["code"]) : "format";
}

function detailOf(issue: Issue, value: unknown): string {
  if (value === undefined && issue.code !== "custom") return "wanted a value";
  switch (issue.code) {
    case "invalid_type":
      return `wanted ${issue.expected}`;
    case "invalid_value":
      return `wanted one of ${issue.values.map(String).join(", ")}`;
    case "too_big":
      return `wanted at most ${issue.maximum}`;
    case "too_small":
      return `wanted at least ${issue.minimum}`;
    case "invalid_format":
      return issue.format === "regex" ? `wanted ${issue.pattern ?? "another form"}` : `wanted a ${issue.format}`;
    case "custom":
      return issue.message;
    case "not_multiple_of":
    case "invalid_union":
    case "unrecognized_keys":
    case "invalid_key":
    case "invalid_element":
      return "wanted another value";
  }
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}

/** RFC 6901. */
function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
