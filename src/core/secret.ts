const REDACTED = "[secret]";
/** The well-known symbol by which Node prints objects; the same as `util.inspect.custom`. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** A value that cannot be printed: no string, no JSON and no inspection shows it. */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The only way out, with a name that a text search finds. */
  static unsafeReveal<T>(secret: Secret<T>): T {
    return secret.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [INSPECT](): string {
    return REDACTED;
  }
}

/** Gives the value of a {@link Secret}; each use is meant to be counted. */
export function unsafeRevealSecret<T>(secret: Secret<T>): T {
  return Secret.unsafeReveal(secret);
}
