import type { Uuid } from "#core/ids.ts";
import { LocalHsmError } from "./errors.ts";
import { openToken, readTokenUuid, reopenToken, type Token, type TokenPlace } from "./token.ts";

/** An opened folder that can be opened anew, and that knows when it is gone or another one stands in its place. */
export class Session implements Disposable {
  readonly folder: string;
  readonly uuid: Uuid;
  readonly #place: TokenPlace;
  #token: Promise<Token>;
  #isClosed = false;

  private constructor(place: TokenPlace, token: Token) {
    this.folder = place.folder;
    this.uuid = token.uuid;
    this.#place = place;
    this.#token = Promise.resolve(token);
  }

  static async open(place: TokenPlace): Promise<Session> {
    return new Session(place, await openToken(place));
  }

  async token(): Promise<Token> {
    if (this.#isClosed) throw new LocalHsmError("Closed", "the software hsm is closed");
    const token = await this.#token;
    this.#requireSame(token.uuid);
    return token;
  }

  /** Reads the folder again at the next call. */
  renew(): void {
    const opening = reopenToken(this.#place);
    opening.catch(() => undefined); // whoever calls next gets it
    this.#token = opening;
  }

  /** Rejects with `StoreUnavailable` unless the folder still holds this token: asked before "not found" is believed. */
  async requirePresent(): Promise<void> {
    this.#requireSame(await readTokenUuid(this.folder));
  }

  #requireSame(uuid: Uuid): void {
    if (uuid !== this.uuid)
      throw new LocalHsmError("StoreUnavailable", `${this.folder} holds another software hsm now`);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
  }
}
