import { timingSafeEqual } from "node:crypto";
import { canonicalMembers } from "#core/canonical-json.ts";
import { KmsError } from "#core/errors.ts";
import type { Uuid } from "#core/ids.ts";
import { FieldReader, isObject } from "./journal-fields.ts";
import { journalHmac, NO_SHARING, type JournalFields } from "./journal-line.ts";
import { SEAL_BYTES } from "./version-seal.ts";

type Common = {
  readonly namespace: Uuid;
  readonly namespaceName: string;
  /** The version of the root key whose K_row made the line's HMAC. */
  readonly rootVersion: number;
  /** Whether the HMAC was checked; without it a line is a claim, which its commitment or its seal must prove. */
  readonly authenticated: boolean;
  /** Epoch milliseconds. */
  readonly createTime: number;
  readonly branch: Uuid;
  readonly branchVersion: number;
};

export type BranchLine = Common & {
  readonly type: "branch";
  readonly commitment: Buffer;
  readonly recipients: readonly { readonly provider: string; readonly uid: string | null }[];
  readonly minimum: number;
  readonly threshold: number;
  readonly dedicatedTo: Uuid | null;
  readonly origin: readonly string[];
};

export type WrapLine = Common & {
  readonly type: "wrap";
  readonly recipient: Uuid;
  readonly binding: Uuid;
  readonly providerUid: string;
  readonly nativeRef: string;
  readonly commitment: Buffer;
  readonly wrap: Buffer;
};

export type VersionLine = Common & {
  readonly type: "version";
  readonly key: Uuid;
  readonly version: number;
  readonly seal: Buffer;
  readonly keyName: string;
  readonly aliases: readonly string[];
  readonly purpose: string;
  readonly algorithm: string;
  readonly custody: JournalFields;
  readonly route: string;
};

/** A key version whose seal was erased; `createTime` is that of its destruction. */
export type TombstoneLine = Common & {
  readonly type: "tombstone";
  readonly key: Uuid;
  readonly version: number;
  readonly keyName: string;
};

export type ParsedLine = BranchLine | WrapLine | VersionLine | TombstoneLine;

export type ReadLineOptions = {
  /** K_row, or where to find that of a root version; without it nothing is authenticated. */
  readonly rowKey?: Uint8Array | ReadonlyMap<number, Uint8Array> | undefined;
  /** For messages, from 1. */
  readonly lineNumber?: number;
};

/**
 * Reads a whole journal, line by line. A last line without a line feed was never promised to anyone: if it does not read, it is told as
 * `unfinished` and nothing else is.
 *
 * `rowKeys` are by root version; a line of a version that is not there is not authenticated. With `onDamaged` lines that were edited, are of
 * an unknown type or miss their HMAC are told to it and passed over.
 *
 * @throws {KmsError} without `onDamaged`: `INTEGRITY_FAILURE` that names the first such line
 */
export function readJournal(
  text: string,
  rowKeys: ReadonlyMap<number, Uint8Array> = new Map(),
  onDamaged: (fault: KmsError) => void = refuseDamaged,
): { readonly lines: readonly ParsedLine[]; readonly unfinished: boolean } {
  const texts = text.split("\n");
  const rest = texts.pop() ?? "";
  const unfinished = rest !== "" && !isWhole(rest);
  if (rest !== "" && !unfinished) texts.push(rest);
  const lines: ParsedLine[] = [];
  for (const [index, line] of texts.entries()) {
    try {
      lines.push(readNumbered(line, index + 1, rowKeys));
    } catch (error) {
      if (!(error instanceof KmsError)) throw error;
      onDamaged(error);
    }
  }
  return { lines, unfinished };
}

function refuseDamaged(fault: KmsError): never {
  throw fault;
}

function readNumbered(line: string, lineNumber: number, rowKeys: ReadonlyMap<number, Uint8Array>): ParsedLine {
  return readJournalLine(line, { rowKey: rowKeys, lineNumber });
}

/**
 * Reads one line, without its line feed. Members that this version does not know are left alone: the HMAC is over them too.
 *
 * @throws {KmsError} `INTEGRITY_FAILURE` that names the line: not canonical JSON, an unknown type, a missing or malformed member, a wrong HMAC
 */
export function readJournalLine(line: string, { rowKey: keys, lineNumber }: ReadLineOptions = {}): ParsedLine {
  const refuse = (fault: string): never => {
    const where = lineNumber === undefined ? "a line of the journal" : `line ${lineNumber} of the journal`;
    throw new KmsError("INTEGRITY_FAILURE", `${where}: ${fault}`);
  };
  const { members, claim } = parseCanonical(line) ?? refuse("it is not canonical JSON");
  const reader = new FieldReader(members, refuse);
  const type = reader.text("type");
  const hmac = reader.base64("hmac", 32);
  const rowKey = keys instanceof Map ? keys.get(reader.integer("rootVersion", 1, MAX_UINT32)) : keys;
  if (rowKey !== undefined && !timingSafeEqual(journalHmac(claim, rowKey), hmac)) refuse("its hmac does not fit");
  if (type !== "branch" && type !== "wrap" && type !== "version" && type !== "tombstone") {
    return refuse(`it is of the unknown type ${JSON.stringify(type)}`);
  }
  const common = { ...readCommon(reader), authenticated: rowKey !== undefined };
  if (type === "branch") return { ...common, type, ...readBranch(reader) };
  if (type === "wrap") return { ...common, type, ...readWrap(reader, refuse) };
  if (type === "version") return { ...common, type, ...readVersion(reader) };
  return { ...common, type, ...readTombstone(reader) };
}

const MAX_UINT32 = 0xffffffff;

/** A line's members, and what its HMAC is over: the canonical form without it. */
type Parsed = { readonly members: JournalFields; readonly claim: string };

/** Comparing with the canonical form refuses repeated members, other spellings of a value, and white space. */
function parseCanonical(line: string): Parsed | undefined {
  try {
    const members: unknown = JSON.parse(line);
    if (!isObject(members)) return undefined;
    let whole = "";
    let claim = "";
    for (const [name, text] of canonicalMembers(members)) {
      whole += `,${text}`;
      if (name !== "hmac") claim += `,${text}`;
    }
    return `{${whole.slice(1)}}` === line ? { members, claim: `{${claim.slice(1)}}` } : undefined;
  } catch {
    return undefined;
  }
}

/** A line that was cut anywhere lacks its last brace, and is no JSON. */
function isWhole(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

function readCommon(reader: FieldReader): Omit<Common, "authenticated"> {
  return {
    namespace: reader.uuid("namespace"),
    namespaceName: reader.text("namespaceName"),
    rootVersion: reader.integer("rootVersion", 1, MAX_UINT32),
    createTime: reader.integer("createTime", 0, Number.MAX_SAFE_INTEGER),
    branch: reader.uuid("branch"),
    branchVersion: reader.integer("branchVersion", 1, MAX_UINT32),
  };
}

function readBranch(reader: FieldReader): Omit<BranchLine, keyof Common | "type"> {
  return {
    commitment: reader.base64("commitment", 32),
    recipients: reader
      .objects("recipients")
      .map((item) => ({ provider: item.text("provider"), uid: item.textOrNull("uid") })),
    minimum: reader.integer("minimum", 1, 16),
    threshold: reader.integer("threshold", 1, 16),
    dedicatedTo: reader.uuidOrNull("dedicatedTo"),
    origin: reader.texts("origin"),
  };
}

function readWrap(reader: FieldReader, refuse: (fault: string) => never): Omit<WrapLine, keyof Common | "type"> {
  if (reader.uuid("sharing") !== NO_SHARING) refuse("it is a share of a threshold, which this version cannot combine");
  return {
    recipient: reader.uuid("recipient"),
    binding: reader.uuid("binding"),
    providerUid: reader.text("providerUid"),
    nativeRef: reader.text("nativeRef"),
    commitment: reader.base64("commitment", 32),
    wrap: reader.base64("wrap"),
  };
}

function readVersion(reader: FieldReader): Omit<VersionLine, keyof Common | "type"> {
  return {
    key: reader.uuid("key"),
    version: reader.integer("version", 1, MAX_UINT32),
    seal: reader.base64("seal", SEAL_BYTES),
    keyName: reader.text("keyName"),
    aliases: reader.texts("aliases"),
    purpose: reader.text("purpose"),
    algorithm: reader.text("algorithm"),
    custody: reader.object("custody"),
    route: reader.text("route"),
  };
}

function readTombstone(reader: FieldReader): Omit<TombstoneLine, keyof Common | "type"> {
  return {
    key: reader.uuid("key"),
    version: reader.integer("version", 1, MAX_UINT32),
    keyName: reader.text("keyName"),
  };
}
