import { invalidMember, malformed } from "./failure.ts";

type Range = { readonly min?: number; readonly max?: number };

/** A request's members, read one by one and held to the constraints of the service model. */
export class Input {
  readonly #raw: Readonly<Record<string, unknown>>;

  constructor(raw: Readonly<Record<string, unknown>>) {
    this.#raw = raw;
  }

  has(name: string): boolean {
    return this.#member(name) !== undefined;
  }

  text(name: string, range: Range = {}): string | undefined {
    const value = this.#member(name);
    if (value === undefined) return undefined;
    if (typeof value !== "string") throw malformed(`${name} is not a string`);
    checkLength(name, value.length, { ...range, shown: value });
    return value;
  }

  whole(name: string, { min = -Infinity, max = Infinity }: Range): number | undefined {
    const value = this.#member(name);
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !Number.isInteger(value)) throw malformed(`${name} is not an integer`);
    if (value < min) throw invalidMember(lower(name), `Member must have value greater than or equal to ${min}`, value);
    if (value > max) throw invalidMember(lower(name), `Member must have value less than or equal to ${max}`, value);
    return value;
  }

  /** A timestamp, in epoch milliseconds. */
  time(name: string): number | undefined {
    const value = this.#member(name);
    if (value === undefined) return undefined;
    if (typeof value !== "number") throw malformed(`${name} is not a timestamp`);
    return value * 1000;
  }

  flag(name: string): boolean {
    const value = this.#member(name) ?? false;
    if (typeof value !== "boolean") throw malformed(`${name} is not a boolean`);
    return value;
  }

  choice<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const found = allowed.find((each) => each === value);
    if (found !== undefined) return found;
    throw invalidMember(lower(name), `Member must satisfy enum value set: [${allowed.join(", ")}]`, value);
  }

  bytes(name: string, range: Range): Buffer | undefined {
    const value = this.#member(name);
    if (value === undefined) return undefined;
    if (typeof value !== "string") throw malformed(`${name} is not a blob`);
    const decoded = Buffer.from(value, "base64");
    if (decoded.toString("base64") !== value) throw malformed(`${name} is not base64`);
    checkLength(name, decoded.length, range);
    return decoded;
  }

  pairs(name: string): ReadonlyMap<string, string> {
    const value = this.#member(name) ?? {};
    if (!isRecord(value)) throw malformed(`${name} is not a map`);
    return new Map(Object.entries(value).map(([key, each]) => [key, stringOf(name, each)]));
  }

  texts(name: string): readonly string[] {
    return this.#list(name).map((each) => stringOf(name, each));
  }

  items(name: string): readonly Input[] {
    return this.#list(name).map((each) => {
      if (!isRecord(each)) throw malformed(`${name} holds what is not a structure`);
      return new Input(each);
    });
  }

  #list(name: string): readonly unknown[] {
    const value = this.#member(name) ?? [];
    if (!Array.isArray(value)) throw malformed(`${name} is not a list`);
    return value;
  }

  /** JSON's null is the same as an absent member. */
  #member(name: string): unknown {
    return this.#raw[name] ?? undefined;
  }
}

/** Refuses the absence of a member that the model requires. */
export const required = <T>(value: T | undefined, name: string): T => {
  if (value === undefined) throw invalidMember(lower(name), "Member must not be null");
  return value;
};

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const stringOf = (name: string, value: unknown): string => {
  if (typeof value !== "string") throw malformed(`${name} holds what is not a string`);
  return value;
};

const checkLength = (
  name: string,
  length: number,
  { min = 0, max = Infinity, shown }: Range & { readonly shown?: string },
): void => {
  if (length < min) {
    throw invalidMember(lower(name), `Member must have length greater than or equal to ${min}`, shown);
  }
  if (length > max) throw invalidMember(lower(name), `Member must have length less than or equal to ${max}`, shown);
};

const lower = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);
