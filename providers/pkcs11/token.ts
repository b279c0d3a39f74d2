import { createCipheriv, randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { CKA, CKF, CKK, CKM, CKO } from "./constants.ts";
import { readLabel, writeLabel } from "./label.ts";
import { type Binding, loadBinding } from "./module.ts";
import { TokenTrouble } from "./token-trouble.ts";
import {
  type Attribute,
  type Commands,
  type CreateInput,
  type Entry,
  type HashName,
  type Mechanism,
  type MechanismFacts,
  type OpenInput,
  type PublicHalf,
  type TokenFacts,
  type Usage,
  USAGES,
} from "./wire.ts";

type Handle = Buffer;
type ObjectClass = "secret" | "private" | "public";
type KeyData = Commands["encrypt"]["in"];
type Named = { readonly id: string; readonly algorithm?: string };
/** `algorithm`: as the label says, for keys of ours. */
type Known = { readonly handle: Handle; readonly algorithm: string | undefined };

const USAGE_TYPES: Readonly<Record<Usage, number>> = {
  encrypt: CKA.ENCRYPT,
  decrypt: CKA.DECRYPT,
  sign: CKA.SIGN,
  verify: CKA.VERIFY,
  wrap: CKA.WRAP,
  unwrap: CKA.UNWRAP,
  derive: CKA.DERIVE,
};
/** Which usage attributes an object of a class has. */
const USAGES_OF: Readonly<Record<ObjectClass, readonly Usage[]>> = {
  secret: USAGES,
  private: ["decrypt", "sign", "unwrap", "derive"],
  public: ["encrypt", "verify", "wrap"],
};
const CLASSES: readonly (readonly [ObjectClass, number])[] = [
  ["secret", CKO.SECRET_KEY],
  ["private", CKO.PRIVATE_KEY],
  ["public", CKO.PUBLIC_KEY],
];
const HASHES: Readonly<Record<HashName, readonly [mechanism: number, mgf: number]>> = {
  sha1: [CKM.SHA_1, 1],
  sha256: [CKM.SHA256, 2],
  sha384: [CKM.SHA384, 3],
  sha512: [CKM.SHA512, 4],
};
/** Sessions or handles that lapsed before anything was done: log in, find again, and ask once more. */
const LAPSED: ReadonlySet<number> = new Set([0x60, 0x82, 0xb0, 0xb3, 0xf0, 0x101, 0x113]);
const ALREADY_LOGGED_IN = 0x100;
const SIGNATURE_CODES: ReadonlySet<number> = new Set([0xc0, 0xc1]);
const OPEN_FLAGS = 0x4 | 0x2; // CKF_SERIAL_SESSION, CKF_RW_SESSION
const FOUND_AT_ONCE = 64;
const KEPT_HANDLES = 10_000;
const MAX_RESULT = 8192;
/** A key that is being made for longer was left behind by a process that ended. */
const UNFINISHED_S = 60;
const TURNS = 12;

export function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "number" ? error.code : undefined;
}

/** One token of a vendor's module: logged in, with a session of its own for each call. Every call blocks. */
export class Token {
  readonly facts: TokenFacts;
  readonly #p11: Binding;
  readonly #slot: Handle;
  readonly #pin: string;
  readonly #handles = new Map<string, Known>();

  /** @throws {TokenTrouble}; errors of the module, with a `code` */
  static async open({ module, token, pin }: OpenInput): Promise<Token> {
    const p11 = await loadBinding();
    try {
      p11.load(module);
    } catch (error) {
      const why = error instanceof Error ? error.message.split("\n")[0] : "";
      throw new TokenTrouble(
        "no-module",
        `the module ${module} cannot be loaded (${why}); install it, or mend the path`,
      );
    }
    p11.C_Initialize({ flags: 0x2 }); // CKF_OS_LOCKING_OK
    return new Token(p11, findSlot(p11, token), pin);
  }

  private constructor(p11: Binding, slot: Handle, pin: string) {
    this.#p11 = p11;
    this.#slot = slot;
    this.#pin = pin;
    p11.C_OpenSession(slot, OPEN_FLAGS); // stays open: with the last session goes the login
    this.#login();
    const { label, serialNumber, manufacturerID, model } = p11.C_GetTokenInfo(slot);
    const mechanisms = this.#mechanisms();
    this.facts = {
      label: label.trim(),
      serial: serialNumber.trim(),
      manufacturer: manufacturerID.trim(),
      model: model.trim(),
      mechanisms,
      oaepHashes: this.#triedHashes(mechanisms),
      kwp: this.#triedKwp(mechanisms),
    };
  }

  list(): readonly Entry[] {
    return this.#inSession((session) => {
      const found = new Map<string, { label: string; on: Set<Usage> }>();
      for (const [kind, classNumber] of CLASSES) {
        for (const handle of this.#find(session, [
          [CKA.CLASS, classNumber],
          [CKA.TOKEN, true],
        ])) {
          const { id, label, on } = this.#read(session, handle, kind);
          if (id === "") continue; // nothing names it
          const entry = found.get(id) ?? { label, on: new Set() };
          for (const usage of on) entry.on.add(usage);
          found.set(id, kind === "public" ? entry : { ...entry, label });
        }
      }
      return [...found].map(([id, { label, on }]) => ({ id, label, on: [...on] }));
    });
  }

  describe(id: string): Entry | null {
    return this.#inSession((session) => this.#entry(session, id));
  }

  /**
   * Makes a key, or gives the one that has the id already. There is no compare-and-set: a new key is marked as unfinished until its maker has
   * seen that no other is there; of two that see each other both give way, and begin again after a random while.
   */
  async create(input: CreateInput): Promise<Entry> {
    for (let turn = 0; turn < TURNS; turn++) {
      const there = this.describe(input.id);
      const label = there === null ? undefined : readLabel(there.label);
      if (there !== null && label?.state !== "new") return there;
      const isLeft = label !== undefined && Date.now() / 1000 - label.created > UNFINISHED_S;
      if (there !== null && isLeft) this.destroy(input.id);
      if (there === null || isLeft) {
        const made = this.#inSession((session) => this.#make(session, input));
        if (made !== undefined) return made;
      }
      await pause(10 + (randomBytes(1)[0] ?? 0) * (turn + 1));
    }
    throw new TokenTrouble("busy", "others make a key with the same marker; try again");
  }

  set(id: string, label: string, usage: Partial<Record<Usage, boolean>>): Entry {
    return this.#inSession((session) => {
      for (const [kind] of CLASSES) {
        for (const handle of this.#objects(session, id, kind)) {
          const changed = USAGES_OF[kind].flatMap((name): Attribute[] => {
            const value = usage[name];
            return value === undefined ? [] : [[USAGE_TYPES[name], value]];
          });
          this.#p11.C_SetAttributeValue(session, handle, templateOf([[CKA.LABEL, label], ...changed]));
        }
      }
      return this.#entry(session, id) ?? missing();
    });
  }

  destroy(id: string): void {
    this.#inSession((session) => {
      for (const [kind] of CLASSES)
        for (const handle of this.#objects(session, id, kind)) this.#p11.C_DestroyObject(session, handle);
    });
    for (const [kind] of CLASSES) this.#handles.delete(`${kind} ${id}`);
  }

  encrypt({ mechanism, data, ...key }: KeyData): Buffer {
    return this.#inSession((session) => {
      this.#p11.C_EncryptInit(session, nativeMechanism(mechanism), this.#key(session, key, ["secret", "public"]));
      return this.#p11.C_Encrypt(session, bytesOf(data), Buffer.alloc(data.length + MAX_RESULT));
    });
  }

  decrypt({ mechanism, data, ...key }: KeyData): Buffer {
    return this.#inSession((session) => {
      this.#p11.C_DecryptInit(session, nativeMechanism(mechanism), this.#key(session, key, ["secret", "private"]));
      return this.#p11.C_Decrypt(session, bytesOf(data), Buffer.alloc(data.length + MAX_RESULT));
    });
  }

  sign({ mechanism, data, ...key }: KeyData): Buffer {
    return this.#inSession((session) => {
      this.#p11.C_SignInit(session, nativeMechanism(mechanism), this.#key(session, key, ["secret", "private"]));
      return this.#p11.C_Sign(session, bytesOf(data), Buffer.alloc(MAX_RESULT));
    });
  }

  verify({ mechanism, data, signature, ...key }: KeyData & { readonly signature: Uint8Array }): boolean {
    return this.#inSession((session) => {
      this.#p11.C_VerifyInit(session, nativeMechanism(mechanism), this.#key(session, key, ["secret", "public"]));
      try {
        return this.#p11.C_Verify(session, bytesOf(data), bytesOf(signature));
      } catch (error) {
        if (SIGNATURE_CODES.has(codeOf(error) ?? -1)) return false;
        throw error;
      }
    });
  }

  /** Bytes under a wrapping key, as CKM_AES_KEY_WRAP wraps them: they are a key of this session for a moment. */
  wrap({ mechanism, data, ...key }: KeyData): Buffer {
    return this.#inSession((session) => {
      const kek = this.#key(session, key, ["secret"]);
      const payload = this.#p11.C_CreateObject(session, templateOf([...SESSION_SECRET, [CKA.VALUE, data]]));
      return this.#p11.C_WrapKey(session, nativeMechanism(mechanism), kek, payload, Buffer.alloc(data.length + 64));
    });
  }

  unwrap({ mechanism, data, ...key }: KeyData): Buffer {
    return this.#inSession((session) => {
      const kek = this.#key(session, key, ["secret"]);
      const template = templateOf(SESSION_SECRET);
      const payload = this.#p11.C_UnwrapKey(session, nativeMechanism(mechanism), kek, bytesOf(data), template);
      return this.#attribute(session, payload, CKA.VALUE);
    });
  }

  derive({ point, bytes, ...key }: Commands["derive"]["in"]): Buffer {
    return this.#inSession((session) => {
      const parameter = { type: 6, kdf: 1, publicData: Buffer.from(point) }; // CK_PARAMS_EC_DH, CKD_NULL
      const template = templateOf([...SESSION_SECRET, [CKA.VALUE_LEN, bytes]]);
      const base = this.#key(session, key, ["private"]);
      const secret = this.#p11.C_DeriveKey(session, { mechanism: CKM.ECDH1_DERIVE, parameter }, base, template);
      return this.#attribute(session, secret, CKA.VALUE);
    });
  }

  random(bytes: number): Buffer {
    return this.#inSession((session) => this.#p11.C_GenerateRandom(session, Buffer.alloc(bytes)));
  }

  publicKey(id: string): PublicHalf {
    return this.#inSession((session) => {
      const handle = this.#key(session, { id }, ["public"]);
      const keyType = this.#attribute(session, handle, CKA.KEY_TYPE).readUInt8(0);
      if (keyType === CKK.RSA) {
        const exponent = this.#attribute(session, handle, CKA.PUBLIC_EXPONENT);
        return { kind: "rsa", modulus: this.#attribute(session, handle, CKA.MODULUS), exponent };
      }
      const params = this.#attribute(session, handle, CKA.EC_PARAMS);
      return { kind: "ec", params, point: this.#attribute(session, handle, CKA.EC_POINT) };
    });
  }

  /** One session per operation: whatever is left on it by a failure goes with it. */
  #inSession<T>(work: (session: Handle) => T): T {
    try {
      return this.#once(work);
    } catch (error) {
      if (!LAPSED.has(codeOf(error) ?? -1)) throw error;
      this.#handles.clear();
      this.#login();
      return this.#once(work);
    }
  }

  #once<T>(work: (session: Handle) => T): T {
    const session = this.#p11.C_OpenSession(this.#slot, OPEN_FLAGS);
    try {
      return work(session);
    } finally {
      try {
        this.#p11.C_CloseSession(session);
      } catch {
        // it is gone already
      }
    }
  }

  #login(): void {
    const session = this.#p11.C_OpenSession(this.#slot, OPEN_FLAGS);
    try {
      this.#p11.C_Login(session, 1, this.#pin); // CKU_USER
    } catch (error) {
      if (codeOf(error) !== ALREADY_LOGGED_IN) throw error;
    } finally {
      this.#p11.C_CloseSession(session);
    }
  }

  #make(session: Handle, { id, label, mechanism, secret = [], pair }: CreateInput): Entry | undefined {
    const mark = randomBytes(8).toString("hex");
    const common: readonly Attribute[] = [
      [CKA.TOKEN, true],
      [CKA.ID, Buffer.from(id, "hex")],
      [CKA.LABEL, `${label} ${mark} new`],
    ];
    const made: Handle[] =
      pair === undefined
        ? [this.#p11.C_GenerateKey(session, { mechanism }, templateOf([...common, ...secret]))]
        : Object.values(
            this.#p11.C_GenerateKeyPair(
              session,
              { mechanism },
              templateOf([...common, ...pair.public]),
              templateOf([...common, ...pair.private]),
            ),
          );
    const others = this.#find(session, [[CKA.ID, Buffer.from(id, "hex")]]).length - made.length;
    if (others > 0) {
      for (const handle of made) this.#p11.C_DestroyObject(session, handle);
      return undefined;
    }
    const written = readLabel(`${label} ${mark} new`);
    if (written === undefined) throw new TokenTrouble("busy", "the label of a new key does not read");
    const done = writeLabel({ ...written, state: "enabled" });
    for (const handle of made) this.#p11.C_SetAttributeValue(session, handle, templateOf([[CKA.LABEL, done]]));
    return this.#entry(session, id) ?? missing();
  }

  #entry(session: Handle, id: string): Entry | null {
    const on = new Set<Usage>();
    let label: string | undefined;
    for (const [kind] of CLASSES) {
      for (const handle of this.#objects(session, id, kind)) {
        const read = this.#read(session, handle, kind);
        label ??= read.label; // of the secret half where there is one
        for (const usage of read.on) on.add(usage);
      }
    }
    return label === undefined ? null : { id, label, on: [...on] };
  }

  #read(session: Handle, handle: Handle, kind: ObjectClass): Entry {
    const usages = USAGES_OF[kind];
    const values = this.#p11.C_GetAttributeValue(
      session,
      handle,
      [CKA.ID, CKA.LABEL, ...usages.map((name) => USAGE_TYPES[name])].map((type) => ({ type })),
    );
    const bytes = values.map(({ value }) => Buffer.from(value));
    return {
      id: bytes[0]?.toString("hex") ?? "",
      label: bytes[1]?.toString("utf8") ?? "",
      on: usages.filter((_, index) => bytes[index + 2]?.[0] === 1),
    };
  }

  #objects(session: Handle, id: string, kind: ObjectClass): readonly Handle[] {
    const classNumber = CLASSES.find(([name]) => name === kind)?.[1] ?? 0;
    return this.#find(session, [
      [CKA.CLASS, classNumber],
      [CKA.TOKEN, true],
      [CKA.ID, Buffer.from(id, "hex")],
    ]);
  }

  /** The handle of a key, kept: to find it is a search through the token. */
  #key(session: Handle, { id, algorithm }: Named, kinds: readonly ObjectClass[]): Handle {
    const names = kinds.map((kind) => `${kind} ${id}`);
    const known = names.flatMap((name) => this.#handles.get(name) ?? [])[0] ?? this.#lookUp(session, id, kinds);
    if (algorithm !== undefined && known.algorithm !== undefined && known.algorithm !== algorithm)
      throw new TokenTrouble("wrong-algorithm", `the key is for ${known.algorithm}, not for ${algorithm}`);
    return known.handle;
  }

  #lookUp(session: Handle, id: string, kinds: readonly ObjectClass[]): Known {
    for (const kind of kinds) {
      const [handle] = this.#objects(session, id, kind);
      if (handle === undefined) continue;
      if (this.#handles.size >= KEPT_HANDLES) this.#handles.clear();
      const known = {
        handle,
        algorithm: readLabel(this.#attribute(session, handle, CKA.LABEL).toString("utf8"))?.algorithm,
      };
      this.#handles.set(`${kind} ${id}`, known);
      return known;
    }
    return missing();
  }

  #find(session: Handle, attributes: readonly Attribute[]): readonly Handle[] {
    this.#p11.C_FindObjectsInit(session, templateOf(attributes));
    const found: Handle[] = [];
    try {
      for (;;) {
        const some = this.#p11.C_FindObjects(session, FOUND_AT_ONCE);
        found.push(...some);
        if (some.length < FOUND_AT_ONCE) return found;
      }
    } finally {
      this.#p11.C_FindObjectsFinal(session);
    }
  }

  #attribute(session: Handle, handle: Handle, type: number): Buffer {
    const [read] = this.#p11.C_GetAttributeValue(session, handle, [{ type }]);
    return Buffer.from(read?.value as Buffer);
  }

  #mechanisms(): readonly MechanismFacts[] {
    return this.#p11.C_GetMechanismList(this.#slot).flatMap((type): MechanismFacts[] => {
      try {
        const { minKeySize, maxKeySize, flags } = this.#p11.C_GetMechanismInfo(this.#slot, type);
        return [{ type, min: minKeySize, max: maxKeySize, flags }];
      } catch {
        return []; // listed and not described
      }
    });
  }

  /** A public key of this session says at the beginning of an encryption which hashes it takes. */
  #triedHashes(mechanisms: readonly MechanismFacts[]): readonly HashName[] {
    if (!mechanisms.some(({ type, flags }) => type === CKM.RSA_PKCS_OAEP && (flags & CKF.DECRYPT) !== 0)) return [];
    return (["sha1", "sha256", "sha512"] as const).filter((oaep) => {
      try {
        return this.#once((session) => {
          const key = this.#p11.C_CreateObject(session, templateOf(TRIAL_RSA));
          this.#p11.C_EncryptInit(session, nativeMechanism({ type: CKM.RSA_PKCS_OAEP, oaep }), key);
          return true;
        });
      } catch {
        return false;
      }
    });
  }

  /** A known key of this session wraps known bytes: what comes out tells which padding a mechanism is. */
  #triedKwp(mechanisms: readonly MechanismFacts[]): number | null {
    const wanted = createCipheriv("id-aes256-wrap-pad", TRIAL_KEY, Buffer.from("a65959a6", "hex"));
    const expected = Buffer.concat([wanted.update(TRIAL_BYTES), wanted.final()]);
    for (const type of [CKM.AES_KEY_WRAP_KWP, CKM.AES_KEY_WRAP_PAD]) {
      if (!mechanisms.some((one) => one.type === type && (one.flags & CKF.WRAP) !== 0)) continue;
      try {
        const wrapped = this.#once((session) => {
          const kek = this.#p11.C_CreateObject(session, templateOf(TRIAL_KEK));
          const payload = this.#p11.C_CreateObject(session, templateOf([...SESSION_SECRET, [CKA.VALUE, TRIAL_BYTES]]));
          return this.#p11.C_WrapKey(session, { mechanism: type }, kek, payload, Buffer.alloc(64));
        });
        if (wrapped.equals(expected)) return type;
      } catch {
        // not that one
      }
    }
    return null;
  }
}

/** A secret that lives in one session and may be read: what is wrapped, unwrapped and agreed on. */
const SESSION_SECRET: readonly Attribute[] = [
  [CKA.CLASS, CKO.SECRET_KEY],
  [CKA.KEY_TYPE, CKK.GENERIC_SECRET],
  [CKA.TOKEN, false],
  [CKA.PRIVATE, true],
  [CKA.SENSITIVE, false],
  [CKA.EXTRACTABLE, true],
];
/** Known to all, and used for trials alone. */
const TRIAL_KEY = Buffer.alloc(32, 0x5a);
const TRIAL_BYTES = Buffer.from("trial of RFC 5649");
const TRIAL_KEK: readonly Attribute[] = [
  [CKA.CLASS, CKO.SECRET_KEY],
  [CKA.KEY_TYPE, CKK.AES],
  [CKA.TOKEN, false],
  [CKA.PRIVATE, true],
  [CKA.WRAP, true],
  [CKA.VALUE, TRIAL_KEY],
];
const TRIAL_RSA: readonly Attribute[] = [
  [CKA.CLASS, CKO.PUBLIC_KEY],
  [CKA.KEY_TYPE, CKK.RSA],
  [CKA.TOKEN, false],
  [CKA.ENCRYPT, true],
  [CKA.MODULUS, Buffer.concat([Buffer.from([0xc1]), Buffer.alloc(254, 0x6d), Buffer.from([0x0b])])],
  [CKA.PUBLIC_EXPONENT, Buffer.from([1, 0, 1])],
];

/** An empty Buffer reaches the module as no pointer, which some refuse (CKR_ARGUMENTS_BAD); a view of nothing has one. */
function bytesOf(data: Uint8Array): Buffer {
  return data.length === 0 ? Buffer.alloc(1).subarray(0, 0) : Buffer.from(data);
}

function templateOf(attributes: readonly Attribute[]): { type: number; value: boolean | number | string | Buffer }[] {
  return attributes.map(([type, value]) => ({ type, value: value instanceof Uint8Array ? Buffer.from(value) : value }));
}

function nativeMechanism(mechanism: Mechanism): Parameters<Binding["C_EncryptInit"]>[1] {
  const parameter = parameterOf(mechanism);
  return { mechanism: mechanism.type, ...(parameter === undefined ? {} : { parameter }) };
}

type Parameter = { readonly type: number } & Readonly<Record<string, number | Buffer>>;

/** The parameter in pkcs11js's words: `type` is one of its CK_PARAMS_…. */
function parameterOf(mechanism: Mechanism): Parameter | undefined {
  if ("gcm" in mechanism) {
    const { iv, aad } = mechanism.gcm;
    return { type: 3, iv: Buffer.from(iv), aad: Buffer.from(aad), ivBits: iv.length * 8, tagBits: 128 };
  }
  if ("oaep" in mechanism) {
    const [hashAlg, mgf] = HASHES[mechanism.oaep];
    return { type: 4, hashAlg, mgf, source: 1 }; // CKZ_DATA_SPECIFIED
  }
  if ("pss" in mechanism) {
    const [hashAlg, mgf] = HASHES[mechanism.pss];
    return { type: 5, hashAlg, mgf, saltLen: mechanism.saltBytes };
  }
  return undefined;
}

function findSlot(p11: Binding, wanted: OpenInput["token"]): Handle {
  const tokens = p11.C_GetSlotList(true).map((slot) => ({ slot, info: p11.C_GetTokenInfo(slot) }));
  const [name, text] = "label" in wanted ? ["label", wanted.label] : ["serial number", wanted.serial];
  const named = tokens.filter(({ info }) => ("label" in wanted ? info.label : info.serialNumber).trim() === text);
  const [one, another] = named;
  if (another !== undefined)
    throw new TokenTrouble("no-token", `several tokens have the ${name} ${text}; name one by { serial }`);
  if (one === undefined) {
    const seen = tokens.map(({ info }) => info.label.trim()).filter((label) => label !== "");
    const others = seen.length === 0 ? "there is no initialised token" : `there are: ${seen.join(", ")}`;
    throw new TokenTrouble("no-token", `the module has no token with the ${name} ${text}; ${others}`);
  }
  if ((one.info.flags & 0x400) === 0)
    throw new TokenTrouble("not-initialised", `the token ${text} is not initialised; do it with the vendor's tool`);
  return one.slot;
}

function missing(): never {
  throw new TokenTrouble("no-such-key", "the token has no such key");
}
