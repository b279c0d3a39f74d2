import type { Trouble } from "./wire.ts";

/** Something that kept the module from being asked. The message is a sentence for an operator. */
export class TokenTrouble extends Error {
  readonly trouble: Trouble;

  constructor(trouble: Trouble, message: string) {
    super(message);
    this.trouble = trouble;
  }
}
