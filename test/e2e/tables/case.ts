import type { Asked } from "../live-gateway.ts";

/** A request that is refused: what is asked, and with which status and code it is answered. */
export type BadCase = {
  readonly name: string;
  readonly asked: Asked;
  readonly status: number;
  readonly code: string;
  /** A wrong field that the answer names: its pointer and code. */
  readonly field?: readonly [pointer: string, code: string];
  readonly header?: Readonly<Record<string, string>>;
};

/** Plaintexts and the like that no log, no file and no error may show. */
export const PLAINTEXT = Buffer.from("attack at dawn: 7f3a9c51", "utf8");
export const PLAINTEXT_BASE64 = PLAINTEXT.toString("base64");

/** Keys that {@link prepare} makes, by what they are. */
export const KEYS = {
  active: "orders",
  rotated: "orders.rotated",
  generated: "orders.generated",
  suspended: "orders.suspended",
  processing: "orders.processing",
  deactivated: "orders.deactivated",
  compromised: "orders.compromised",
} as const;

export const ENCRYPT = `/v1/keys/${KEYS.active}/encrypt`;

export const post = (path: string, body: unknown, more: Partial<Asked> = {}): Asked => ({
  method: "POST",
  path,
  body,
  ...more,
});
export const encrypt = (body: unknown, more: Partial<Asked> = {}): Asked => post(ENCRYPT, body, more);
