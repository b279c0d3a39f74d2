/** What the adapter and the process of its module say to each other: PKCS #11 in plain data, several calls in one message. */

/** The attributes that say what a key may do. */
export const USAGES = ["encrypt", "decrypt", "sign", "verify", "wrap", "unwrap", "derive"] as const;
export type Usage = (typeof USAGES)[number];

export type Attribute = readonly [type: number, value: boolean | number | string | Uint8Array];

export type HashName = "sha1" | "sha256" | "sha384" | "sha512";

export type Mechanism =
  | { readonly type: number }
  | { readonly type: number; readonly gcm: { readonly iv: Uint8Array; readonly aad: Uint8Array } }
  | { readonly type: number; readonly oaep: HashName }
  | { readonly type: number; readonly pss: HashName; readonly saltBytes: number };

export type MechanismFacts = {
  readonly type: number;
  readonly min: number;
  readonly max: number;
  readonly flags: number;
};

export type TokenFacts = {
  readonly label: string;
  readonly serial: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly mechanisms: readonly MechanismFacts[];
  /** Hashes that RSA-OAEP takes, as a trial showed. */
  readonly oaepHashes: readonly HashName[];
  /** The mechanism that is RFC 5649, as a trial showed; null: none. */
  readonly kwp: number | null;
};

/** The objects of one CKA_ID: a secret key, or both halves of a pair. `on`: the usage attributes that are true in any of them. */
export type Entry = { readonly id: string; readonly label: string; readonly on: readonly Usage[] };

export type PublicHalf =
  | { readonly kind: "rsa"; readonly modulus: Uint8Array; readonly exponent: Uint8Array }
  | { readonly kind: "ec"; readonly params: Uint8Array; readonly point: Uint8Array };

/** Which token, and how to log in. */
export type OpenInput = {
  readonly module: string;
  readonly token: { readonly label: string } | { readonly serial: string };
  readonly pin: string;
};

export type CreateInput = {
  readonly id: string;
  /** Without its end: the process adds a mark of its own, and the state. */
  readonly label: string;
  readonly mechanism: number;
  /** Of a secret key, or of the halves of a pair. */
  readonly secret?: readonly Attribute[];
  readonly pair?: { readonly public: readonly Attribute[]; readonly private: readonly Attribute[] };
};

/** `algorithm`: what the label must say, where it is one of ours. */
type KeyUse = { readonly id: string; readonly algorithm: string; readonly mechanism: Mechanism };

export type Commands = {
  readonly open: { readonly in: OpenInput; readonly out: TokenFacts };
  readonly list: { readonly in: object; readonly out: readonly Entry[] };
  readonly describe: { readonly in: { readonly id: string }; readonly out: Entry | null };
  readonly create: { readonly in: CreateInput; readonly out: Entry };
  readonly set: {
    readonly in: { readonly id: string; readonly label: string; readonly usage: Partial<Record<Usage, boolean>> };
    readonly out: Entry;
  };
  readonly destroy: { readonly in: { readonly id: string }; readonly out: null };
  readonly encrypt: { readonly in: KeyUse & { readonly data: Uint8Array }; readonly out: Uint8Array };
  readonly decrypt: { readonly in: KeyUse & { readonly data: Uint8Array }; readonly out: Uint8Array };
  readonly sign: { readonly in: KeyUse & { readonly data: Uint8Array }; readonly out: Uint8Array };
  readonly verify: {
    readonly in: KeyUse & { readonly data: Uint8Array; readonly signature: Uint8Array };
    readonly out: boolean;
  };
  readonly wrap: { readonly in: KeyUse & { readonly data: Uint8Array }; readonly out: Uint8Array };
  readonly unwrap: { readonly in: KeyUse & { readonly data: Uint8Array }; readonly out: Uint8Array };
  readonly derive: {
    readonly in: {
      readonly id: string;
      readonly algorithm: string;
      readonly point: Uint8Array;
      readonly bytes: number;
    };
    readonly out: Uint8Array;
  };
  readonly random: { readonly in: { readonly bytes: number }; readonly out: Uint8Array };
  readonly publicKey: { readonly in: { readonly id: string }; readonly out: PublicHalf };
};
export type CommandName = keyof Commands;

export type Request = { readonly id: number; readonly name: CommandName; readonly input: unknown };

/** `code`: of the module (CKR); absent where it has none. `trouble`: what kept it from being asked at all. */
export type WireFault = { readonly code?: number; readonly trouble?: Trouble; readonly text: string };
export type Trouble =
  | "no-binding"
  | "no-module"
  | "no-token"
  | "not-initialised"
  | "no-such-key"
  | "wrong-algorithm"
  | "busy";

export type Reply =
  | { readonly id: number; readonly ok: true; readonly output: unknown }
  | { readonly id: number; readonly ok: false; readonly fault: WireFault };
