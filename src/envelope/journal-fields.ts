import { isUuid, type Uuid } from "#core/ids.ts";
import type { JournalFields } from "./journal-line.ts";

/** Takes the members of one line by name; `refuse` throws, naming the line. */
export class FieldReader {
  readonly #fields: JournalFields;
  readonly #refuse: (fault: string) => never;

  constructor(fields: JournalFields, refuse: (fault: string) => never) {
    this.#fields = fields;
    this.#refuse = refuse;
  }

  text(name: string): string {
    const value = this.#fields[name];
    return typeof value === "string" ? value : this.#refuse(`${name}: wanted a string`);
  }

  uuid(name: string): Uuid {
    const value = this.text(name);
    return isUuid(value) ? value : this.#refuse(`${name}: wanted a uuid`);
  }

  uuidOrNull(name: string): Uuid | null {
    return this.#fields[name] === null ? null : this.uuid(name);
  }

  /** An integer from `min` to `max`. */
  integer(name: string, min: number, max: number): number {
    const value = this.#fields[name];
    const fits = typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max;
    return fits ? value : this.#refuse(`${name}: wanted an integer from ${min} to ${max}`);
  }

  /** Canonical base64 (RFC 4648 § 4) of `length` bytes, or of any number from 1. */
  base64(name: string, length?: number): Buffer {
    const text = this.text(name);
    const bytes = Buffer.from(text, "base64");
    const fits = length === undefined ? bytes.length > 0 : bytes.length === length;
    return fits && bytes.toString("base64") === text ? bytes : this.#refuse(`${name}: wanted base64`);
  }

  texts(name: string): readonly string[] {
    const value = this.#fields[name];
    const strings = Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
    return Array.isArray(value) && strings.length === value.length ? strings : this.#refuse(`${name}: wanted strings`);
  }

  object(name: string): JournalFields {
    const value = this.#fields[name];
    return isObject(value) ? value : this.#refuse(`${name}: wanted an object`);
  }

  objects(name: string): readonly FieldReader[] {
    const value = this.#fields[name];
    const items: readonly unknown[] = Array.isArray(value) ? value : this.#refuse(`${name}: wanted a list`);
    return items.map((item) =>
      isObject(item) ? new FieldReader(item, this.#refuse) : this.#refuse(`${name}: wanted objects`),
    );
  }

  textOrNull(name: string): string | null {
    return this.#fields[name] === null ? null : this.text(name);
  }
}

/** Whether JSON.parse gave an object with members. */
export function isObject(value: unknown): value is JournalFields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
