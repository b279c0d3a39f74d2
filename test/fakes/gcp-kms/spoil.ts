import { checksumOf } from "./checksums.ts";
import type { Fault } from "./faults.ts";

type Answer = Readonly<Record<string, unknown>>;

/** What a fault makes of an operation's answer. */
export const spoil = (answer: Answer, kind: Fault["kind"]): Answer => {
  if (kind === "bad-checksum") return mapFields(answer, invertChecksum);
  if (kind === "unverified-checksum") {
    return mapFields(answer, (name, value) => (/^verified.+Crc32c$/.test(name) ? false : value));
  }
  if (kind === "wrong-plaintext") return invertPlaintext(answer);
  return answer;
};

const mapFields = (answer: Answer, change: (name: string, value: unknown) => unknown): Answer =>
  Object.fromEntries(Object.entries(answer).map(([name, value]) => [name, change(name, value)]));

const invertChecksum = (name: string, value: unknown): unknown => {
  if (name === "publicKey" && typeof value === "object" && value !== null) {
    return mapFields(value as Answer, invertChecksum);
  }
  if (!/crc32c/i.test(name) || typeof value === "boolean") return value;
  if (typeof value === "number") return flipLowestBit(value);
  const sent = (value as { readonly value: number } | null)?.value;
  return sent === undefined ? value : { value: flipLowestBit(sent) };
};

const flipLowestBit = (crc: number): number => (crc ^ 1) >>> 0;

/** Other bytes of the same length, under a checksum that fits them. */
const invertPlaintext = (answer: Answer): Answer => {
  const plaintext = answer["plaintext"];
  if (!(plaintext instanceof Uint8Array)) return answer;
  const other = plaintext.map((byte) => byte ^ 0xff);
  return { ...answer, plaintext: other, plaintextCrc32c: checksumOf(other) };
};
