import { hash } from "node:crypto";
import { encodeContext } from "#core/context-encoding.ts";
import { NO_CONTEXT, type Context } from "#core/context.ts";
import { contextDigest } from "#envelope/context-digest.ts";
import { writeJournalLine } from "#envelope/journal-line.ts";
import { portableMac } from "#envelope/mac.ts";
import { createMessageIdSource } from "#envelope/message-id.ts";
import { writeNativeFrame } from "#envelope/native-frame.ts";
import { createKeyMaterial } from "#envelope/new-key.ts";
import { seal } from "#envelope/portable.ts";
import { deriveRowKey, rootCommitment, sealSecret } from "#envelope/root-key.ts";
import { sealStream } from "#envelope/stream.ts";
import { encodeText } from "#envelope/text.ts";
import { sealVersionKey } from "#envelope/version-seal.ts";
import { branchCommitment, wrapContextBytes, writeWrapPayload } from "#envelope/wrap-payload.ts";
import { wrapMaterial, wrappedFrame } from "#envelope/wrapped-material.ts";
import { wrapUnder } from "#providers/local-hsm/kwp.ts";
import { sealOpaque } from "#providers/local-hsm/opaque.ts";
import {
  BRANCH,
  BRANCH_KEY,
  countingKey,
  fixedMessageIds,
  flipped,
  KEY,
  MESSAGE_ID,
  NAMESPACE,
  OTHER_ID,
  RECIPIENT,
  ROOT_KEY,
  TENANT_CONTEXT,
  VERSION_KEY,
} from "./fixtures.ts";
import { branchEntry, versionEntry, wrapEntry } from "./journal-entries.ts";

const FRAME_BYTES = 65_552;
const PREAMBLE_BYTES = 89;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const sha256 = (bytes: Uint8Array): string => hash("sha256", bytes, "hex");

const CONTEXTS: Readonly<Record<string, Context>> = {
  none: NO_CONTEXT,
  "an empty map": { kind: "map", pairs: new Map() },
  "two pairs": TENANT_CONTEXT,
  "an empty value": { kind: "map", pairs: new Map([["a", ""]]) },
  "keys that UTF-16 would sort otherwise": {
    kind: "map",
    pairs: new Map([
      ["\u{1F511}", "key"],
      ["\uFF61", "stop"],
      ["__proto__", "no"],
    ]),
  },
  composed: { kind: "map", pairs: new Map([["\u00E9", ""]]) },
  decomposed: { kind: "map", pairs: new Map([["e\u0301", ""]]) },
  "no bytes": { kind: "bytes", bytes: new Uint8Array(0) },
  "four bytes": { kind: "bytes", bytes: Buffer.from("00ff80c3", "hex") },
};
type ContextName = "none" | "two pairs" | "four bytes" | "keys that UTF-16 would sort otherwise";
const contextOf = (name: ContextName): Context => CONTEXTS[name] ?? NO_CONTEXT;

const place = { versionKey: VERSION_KEY, keyUuid: KEY, keyVersion: 3 };
const named = { versionKey: hex(VERSION_KEY), key: KEY, keyVersion: 3, messageId: hex(MESSAGE_ID) };
const wrapIds = { namespace: NAMESPACE, branch: BRANCH, branchVersion: 2, recipient: RECIPIENT };

/** Every vector of format 1, computed; `test/vectors/format-1.json` holds them. Bytes are hex, ids UUIDs, the rest as docs/format.md says. */
export function formatVectors(): object {
  return {
    format: 1,
    contexts: Object.entries(CONTEXTS).map(([name, context]) => ({
      name,
      context: plainContext(context),
      encoded: hex(encodeContext(context)),
      sha256: hex(contextDigest(context)),
    })),
    messageIds: messageIdVectors(),
    messages: [
      messageVector("nothing, without a context", "none", Buffer.alloc(0)),
      messageVector("text, without a context", "none", Buffer.from("attack at dawn")),
      messageVector("text in a map context", "two pairs", Buffer.from("attack at dawn")),
      messageVector("sorting by bytes", "keys that UTF-16 would sort otherwise", Buffer.from("attack at dawn")),
      messageVector("text in a context of bytes", "four bytes", Buffer.from("attack at dawn")),
    ],
    streams: [
      streamVector("two frames", 65_541),
      streamVector("two full frames", 131_072),
      streamVector("one frame", 5),
      streamVector("nothing", 0),
    ],
    refused: refusedVectors(),
    macs: macVectors(),
    wrapped: wrappedVectors(),
    versionSeals: sealVectors(),
    newKeys: newKeyVectors(),
    wraps: wrapVectors(),
    rootKeys: rootVectors(),
    secrets: secretVectors(),
    journal: journalVectors(),
    refusedSeals: refusedSealVectors(),
    refusedPayloads: refusedPayloadVectors(),
    refusedLines: refusedLineVectors(),
    localHsm: localHsmVectors(),
  };
}

function plainContext(context: Context): object {
  if (context.kind === "map") return { kind: "map", pairs: [...context.pairs] };
  return context.kind === "bytes" ? { kind: "bytes", bytes: hex(context.bytes) } : context;
}

function messageVector(name: string, context: ContextName, plaintext: Buffer): object {
  const bytes = seal({ ...place, context: contextOf(context), plaintext, messageIds: fixedMessageIds });
  return { name, ...named, context, plaintext: hex(plaintext), text: encodeText(bytes) };
}

/** Plaintext byte i is i mod 251. */
function streamOf(length: number): Buffer {
  const plaintext = Buffer.alloc(length).map((_, index) => index % 251);
  return sealStream({
    ...place,
    contextDigest: contextDigest(TENANT_CONTEXT),
    plaintext,
    messageIds: fixedMessageIds,
  });
}

function streamVector(name: string, plaintextBytes: number): object {
  const bytes = streamOf(plaintextBytes);
  const tags: string[] = [];
  for (let at = PREAMBLE_BYTES; at < bytes.length; at += FRAME_BYTES) {
    tags.push(hex(bytes.subarray(at, at + FRAME_BYTES).subarray(-16)));
  }
  const preamble = hex(bytes.subarray(0, PREAMBLE_BYTES));
  return {
    name,
    ...named,
    context: "two pairs",
    plaintextBytes,
    preamble,
    tags,
    bytes: bytes.length,
    sha256: sha256(bytes),
  };
}

/** Texts that must be refused under the version key and context that are named. */
function refusedVectors(): readonly object[] {
  const good = seal({
    ...place,
    context: TENANT_CONTEXT,
    plaintext: Buffer.from("attack at dawn"),
    messageIds: fixedMessageIds,
  });
  const changed = (at: number, value: number): string => {
    const bytes = Buffer.from(good);
    bytes.writeUInt8(value, at < 0 ? bytes.length + at : at);
    return encodeText(bytes);
  };
  const stream = streamOf(5);
  const refused = (name: string, text: string, context: ContextName = "two pairs"): object => ({
    name,
    versionKey: hex(VERSION_KEY),
    context,
    text,
  });
  const text = encodeText(good);
  return [
    refused("another context", text, "none"),
    refused("another context, of bytes", text, "four bytes"),
    refused("another magic", changed(0, 0x44)),
    refused("another format", changed(3, 2)),
    refused("suite 02 over a message", changed(4, 2)),
    refused("suite 03, reserved", changed(4, 3)),
    refused("suite 10, reserved", changed(4, 0x10)),
    refused("suite 80 under a version key", changed(4, 0x80)),
    refused("another key", changed(20, 0)),
    refused("version 0", changed(24, 0)),
    refused("another version", changed(24, 4)),
    refused("another message id", changed(25, 0)),
    refused("another commitment", changed(57, 0)),
    refused("another ciphertext", changed(89, 0)),
    refused("another tag", changed(-1, 0)),
    refused("a byte less", encodeText(good.subarray(0, -1))),
    refused("a byte more", encodeText(Buffer.concat([good, Buffer.of(0)]))),
    refused("a header alone", encodeText(good.subarray(0, 25))),
    refused("a stream without frames", encodeText(stream.subarray(0, PREAMBLE_BYTES))),
    refused(
      "a stream that claims to be a message",
      encodeText(Buffer.concat([stream.subarray(0, 4), Buffer.of(1), stream.subarray(5)])),
    ),
    refused("padding", `${text}=`),
    refused("a character outside the alphabet", `${text.slice(0, -1)}+`),
    refused("trailing bits that are not zero", encodeText(Buffer.of(0)).replace(/A$/u, "B")),
    refused("white space", `${text} `),
    refused("another prefix", text.replace("clv1", "clv2")),
    refused("no text", ""),
  ];
}

function messageIdVectors(): readonly object[] {
  const [processSecret, random, kernel] = [countingKey(0xa0), countingKey(0xc0), countingKey(0xe0)];
  const source = createMessageIdSource({
    random: { bytes: () => Buffer.from(random), kernelBytes: () => Buffer.from(kernel) },
    clock: { monotonicMs: () => 1.23544 },
    processSecret,
  });
  const digest = contextDigest(TENANT_CONTEXT);
  const plaintext = Buffer.from("attack at dawn");
  const common = { processSecret: hex(processSecret), random: hex(random), context: "two pairs" };
  return [
    {
      suite: 1,
      ...common,
      plaintext: hex(plaintext),
      id: hex(source.forMessage({ contextDigest: digest, plaintext })),
    },
    {
      suite: 2,
      ...common,
      kernel: hex(kernel),
      monotonicNanoseconds: 1_235_440,
      id: hex(source.forStream({ contextDigest: digest })),
    },
  ];
}

function macVectors(): readonly object[] {
  const message = Buffer.from("attack at dawn");
  return (["HMAC-SHA-224", "HMAC-SHA-256", "HMAC-SHA-384", "HMAC-SHA-512"] as const).map((algorithm) => ({
    versionKey: hex(VERSION_KEY),
    key: KEY,
    keyVersion: 3,
    algorithm,
    message: hex(message),
    mac: hex(portableMac({ ...place, algorithm, message })),
  }));
}

function wrappedVectors(): readonly object[] {
  return [countingKey(0x40), Buffer.from("odd")].map((material) => ({
    versionKey: hex(VERSION_KEY),
    key: KEY,
    keyVersion: 3,
    material: hex(material),
    text: encodeText(wrappedFrame(place, wrapMaterial(place, material))),
  }));
}

function sealVectors(): readonly object[] {
  return [
    { version: 3, branchVersion: 2 },
    { version: 0xffffffff, branchVersion: 1 },
  ].map((versions) => {
    const ids = { namespace: NAMESPACE, key: KEY, branch: BRANCH, ...versions };
    const sealed = sealVersionKey({ ...ids, branchKey: BRANCH_KEY, versionKey: VERSION_KEY });
    return { branchKey: hex(BRANCH_KEY), ...ids, versionKey: hex(VERSION_KEY), seal: hex(sealed) };
  });
}

function newKeyVectors(): readonly object[] {
  const [kernel, own] = [countingKey(0xc0), countingKey(0xe0)];
  const random = { bytes: () => Buffer.from(own), kernelBytes: () => Buffer.from(kernel) };
  return [[], [countingKey(0x11)], [Buffer.from("a"), Buffer.from("bc")]].map((contributions) => ({
    kernel: hex(kernel),
    own: hex(own),
    contributions: contributions.map(hex),
    key: hex(createKeyMaterial(random, contributions)),
  }));
}

function wrapVectors(): readonly object[] {
  return [
    {
      branchKey: hex(BRANCH_KEY),
      ...wrapIds,
      wrapContext: hex(wrapContextBytes(wrapIds)),
      payload: hex(writeWrapPayload({ key: BRANCH_KEY, ids: wrapIds })),
      commitment: hex(branchCommitment({ key: BRANCH_KEY, ids: wrapIds })),
    },
  ];
}

function rootVectors(): readonly object[] {
  const pin = (version: number): string => hex(rootCommitment({ rootKey: ROOT_KEY, keyUuid: KEY, version }));
  const rowKey = hex(deriveRowKey(ROOT_KEY));
  return [1, 2].map((version) => ({ rootKey: hex(ROOT_KEY), key: KEY, version, rowKey, commitment: pin(version) }));
}

function secretVectors(): readonly object[] {
  return [
    { id: "audit-signing-key", secret: countingKey(1) },
    { id: "clé", secret: Buffer.from("odd") },
  ].map(({ id, secret }) => ({
    rootKey: hex(ROOT_KEY),
    id,
    secret: hex(secret),
    sealed: hex(sealSecret({ rootKey: ROOT_KEY, id, secret })),
  }));
}

/** A journal that opens the messages above: of one branch version, its wrap under a local HSM, and one key version. */
function journalVectors(): object {
  const rowKey = deriveRowKey(ROOT_KEY);
  const payload = writeWrapPayload({ key: BRANCH_KEY, ids: wrapIds });
  const additionalData = hash("sha256", wrapContextBytes(wrapIds), "buffer");
  const wrap = wrapUnder({ key: countingKey(0x70), objectId: RECIPIENT, additionalData }, payload).toString("base64");
  const commitment = branchCommitment({ key: BRANCH_KEY, ids: wrapIds }).toString("base64");
  const ids = { namespace: NAMESPACE, key: KEY, version: 3, branch: BRANCH, branchVersion: 2 };
  const sealed = sealVersionKey({ ...ids, branchKey: BRANCH_KEY, versionKey: VERSION_KEY });
  const recipient = { ...wrapEntry.recipient, providerUid: "local-hsm:1", nativeRef: RECIPIENT };
  const lines = [
    { ...branchEntry, branchVersion: { ...branchEntry.branchVersion, commitment } },
    { ...wrapEntry, recipient, wrap: { ...wrapEntry.wrap, wrap }, commitment },
    { ...versionEntry, version: { ...versionEntry.version, version: 3, seal: sealed.toString("base64") } },
  ].map((entry) => writeJournalLine(entry, { rowKey, rootVersion: 1 }));
  return { rowKey: hex(rowKey), branchKey: hex(BRANCH_KEY), lines };
}

/** Seals that must not open where they are said to be. */
function refusedSealVectors(): readonly object[] {
  const ids = { namespace: NAMESPACE, key: KEY, version: 3, branch: BRANCH, branchVersion: 2 };
  const sealed = sealVersionKey({ ...ids, branchKey: BRANCH_KEY, versionKey: VERSION_KEY });
  const at = (name: string, moved: Partial<typeof ids>): object => ({
    name,
    branchKey: hex(BRANCH_KEY),
    ...ids,
    ...moved,
    seal: hex(sealed),
  });
  return [
    at("another namespace", { namespace: OTHER_ID }),
    at("another key", { key: OTHER_ID }),
    at("another version", { version: 4 }),
    at("another branch", { branch: OTHER_ID }),
    at("another branch version", { branchVersion: 3 }),
    { ...at("a flipped bit", {}), seal: hex(flipped(sealed, 319)) },
  ];
}

/** Payloads that are bad wraps, whoever opened them. */
function refusedPayloadVectors(): readonly object[] {
  const payload = writeWrapPayload({ key: BRANCH_KEY, ids: wrapIds });
  const commitment = hex(branchCommitment({ key: BRANCH_KEY, ids: wrapIds }));
  const bad = (name: string, bytes: Uint8Array): object => ({ name, ...wrapIds, commitment, payload: hex(bytes) });
  return [
    bad("another magic", flipped(payload, 0)),
    bad("another format", flipped(payload, 4 * 8)),
    bad("a share", flipped(payload, 5 * 8)),
    bad("a threshold", flipped(payload, 6 * 8)),
    bad("a share's number", flipped(payload, 7 * 8)),
    bad("another key", flipped(payload, 8 * 8)),
    bad("another recipient", writeWrapPayload({ key: BRANCH_KEY, ids: { ...wrapIds, recipient: OTHER_ID } })),
    bad("a byte less", payload.subarray(0, -1)),
    bad("a byte more", Buffer.concat([payload, Buffer.of(0)])),
  ];
}

function refusedLineVectors(): readonly object[] {
  const rowKey = deriveRowKey(ROOT_KEY);
  const line = writeJournalLine(wrapEntry, { rowKey, rootVersion: 1 });
  const bad = (name: string, text: string): object => ({ name, rowKey: hex(rowKey), line: text });
  return [
    bad("another branch version", line.replace('"branchVersion":2', '"branchVersion":3')),
    bad("white space", line.replace(",", ", ")),
    bad("a member twice", line.replace("{", '{"branchVersion":2,')),
    bad("another spelling of a number", line.replace('"rootVersion":1', '"rootVersion":1.0')),
    bad("an end that is missing", line.slice(0, -1)),
    bad("another K_row", writeJournalLine(wrapEntry, { rowKey: VERSION_KEY, rootVersion: 1 })),
  ];
}

function localHsmVectors(): object {
  const key = countingKey(0x70);
  const additionalData = hash("sha256", wrapContextBytes(wrapIds), "buffer");
  const payload = writeWrapPayload({ key: BRANCH_KEY, ids: wrapIds });
  const [processSecret, random] = [countingKey(0xa0), countingKey(0xc0)];
  const plaintext = Buffer.from("attack at dawn");
  const ciphertext = sealOpaque({ key, plaintext, context: TENANT_CONTEXT, entropy: { processSecret, random } });
  return {
    wraps: [
      {
        key: hex(key),
        object: RECIPIENT,
        additionalData: hex(additionalData),
        payload: hex(payload),
        wrap: hex(wrapUnder({ key, objectId: RECIPIENT, additionalData }, payload)),
      },
    ],
    opaque: [{ key: hex(key), context: "two pairs", plaintext: hex(plaintext), ciphertext: hex(ciphertext) }],
    native: [
      {
        key: KEY,
        keyVersion: 3,
        binding: RECIPIENT,
        frame: hex(writeNativeFrame({ keyUuid: KEY, keyVersion: 3, binding: RECIPIENT, ciphertext })),
      },
    ],
  };
}
