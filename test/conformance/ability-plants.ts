import { randomBytes } from "node:crypto";
import type { Answer, Encapsulated, Signer } from "#core/provider.ts";
import { ecdsaToDer, ecdsaToRaw } from "#envelope/ecdsa-encoding.ts";
import { type Plant, withAbility } from "./plant.ts";
import { call, required } from "./provider/subject.ts";

const EC = "EC-P256-SHA256: ";
const OAEP = "RSA-2048-OAEP-SHA256: ";
const KWP = "AES-KWP: ";
const ECDH = "ECDH-P256: ";
const KEM = "ML-KEM-512: ";

const answer = <T>(value: T) => ({ value, requestId: null });
const yes = async () => await Promise.resolve(answer(true));
const some = async () => await Promise.resolve(answer(Buffer.alloc(32, 1)));
/** Runs, and answers all the same where it is refused. */
const rather = async <T>(run: Promise<T>, other: T): Promise<T> => await run.catch(() => other);
const flipFirst = (bytes: Uint8Array): Buffer => Buffer.from(bytes.map((byte, at) => (at === 0 ? byte ^ 1 : byte)));
const pooled = (bytes: Uint8Array): Buffer => {
  const buffer = Buffer.from(new Uint8Array(4096).buffer, 8, bytes.length);
  buffer.set(bytes);
  return buffer;
};
const spoiltSign =
  (change: (signature: Buffer) => Buffer) =>
  (signer: Signer): Partial<Signer> => ({
    sign: async (input, context) => answer(change((await signer.sign(input, context)).value)),
  });

const SIGNER_PLANTS: readonly Plant[] = [
  {
    test: `${EC}a signature fits its message in node:crypto, and in the service from each handle`,
    fault: "a signature raw instead of DER",
    spoil: withAbility(
      "signer",
      spoiltSign((der) => ecdsaToRaw(der, "EC-P256-SHA256") ?? der),
    ),
  },
  ...(["EC-P256-SHA256", "ED25519"] as const).map((algorithm) => ({
    test: `${algorithm}: a signature of another message, of another key, or with changed, missing or more bytes is false, not an error`,
    fault: `a verification that is always true with ${algorithm}`,
    spoil: withAbility("signer", () => ({ verify: yes })),
  })),
  {
    test: `${EC}a signature of another message, of another key, or with changed, missing or more bytes is false, not an error`,
    fault: "raw signatures that verify too",
    spoil: withAbility("signer", (signer) => ({
      verify: async (input, context) => {
        const der = ecdsaToDer(input.signature, input.algorithm);
        return await signer.verify({ ...input, signature: der ?? input.signature }, context);
      },
    })),
  },
  {
    test: `${EC}a signature of another message, of another key, or with changed, missing or more bytes is false, not an error`,
    fault: "an error for a signature that is too short",
    spoil: withAbility("signer", (signer) => ({
      verify: async (input, context) => {
        if (input.signature.length < 8) throw new Error("too short");
        return await signer.verify(input, context);
      },
    })),
  },
  {
    test: "ED25519: a digest in place of the message is refused, before the call",
    fault: "a digest that is signed as a message",
    spoil: withAbility("signer", () => ({ sign: some, verify: yes })),
  },
  {
    test: `${EC}a message and its digest have the same signatures`,
    fault: "a digest that is hashed once more",
    spoil: withAbility("signer", (signer) => ({
      sign: async (input, context) =>
        await signer.sign({ ...input, signable: { ...input.signable, kind: "message" } }, context),
    })),
  },
  {
    test: `${EC}a digest of another length is refused, before the call`,
    fault: "a digest that is cut",
    spoil: withAbility("signer", () => ({ sign: some, verify: yes })),
  },
  {
    test: `${EC}sign and verify refuse more bytes than they declare, or fewer, before the call`,
    fault: "no limit",
    spoil: withAbility("signer", () => ({ sign: some })),
  },
  {
    test: `${EC}a key for another kind of signature is refused`,
    fault: "a key that signs by its own algorithm",
    spoil: withAbility("signer", (signer, provider) => ({
      sign: async (input, context) => {
        const { algorithm } = await provider.describe(input.ref, context);
        return await signer.sign({ ...input, algorithm: algorithm ?? input.algorithm }, context);
      },
    })),
  },
];

const OAEP_PLANTS: readonly Plant[] = [
  {
    test: `${OAEP}decrypt opens what node:crypto encrypts with the public key, and nothing of another padding, hash or label`,
    fault: "another plaintext where there is none",
    spoil: withAbility("cipher", (cipher) => ({
      decrypt: async (input, context) => await rather(cipher.decrypt(input, context), answer(randomBytes(32))),
    })),
  },
  {
    test: `${OAEP}node:crypto opens with an imported private key what encrypt made`,
    fault: "ciphertexts in a form of its own",
    spoil: withAbility("cipher", (cipher) => ({
      encrypt: async (input, context) => answer(flipFirst((await cipher.encrypt(input, context)).value)),
      decrypt: async (input, context) =>
        await cipher.decrypt({ ...input, ciphertext: flipFirst(input.ciphertext) }, context),
    })),
  },
];

const MATERIAL_PLANTS: readonly Plant[] = [
  {
    test: `${KWP}unwrap-material opens what wrap-material made, of each length and from each handle, in a buffer of the caller's own`,
    fault: "a pooled buffer",
    spoil: withAbility("materialWrapper", (wrapper) => ({
      unwrapMaterial: async (input, context) => answer(pooled((await wrapper.unwrapMaterial(input, context)).value)),
    })),
  },
  {
    test: `${KWP}unwrap-material refuses another key and every changed, missing or further byte, in the same words`,
    fault: "no check of integrity",
    spoil: withAbility("materialWrapper", (wrapper) => ({
      unwrapMaterial: async (input, context) =>
        await rather(wrapper.unwrapMaterial(input, context), answer(randomBytes(32))),
    })),
  },
  {
    test: `${KWP}wrap-material refuses lengths that it does not declare, before the call`,
    fault: "any length",
    spoil: withAbility("materialWrapper", () => ({ wrapMaterial: some })),
  },
  {
    test: `${KWP}node:crypto opens under an imported key what the service wraps, and makes the same bytes`,
    fault: "a form of its own",
    spoil: withAbility("materialWrapper", (wrapper) => ({
      wrapMaterial: async (input, context) => answer(flipFirst((await wrapper.wrapMaterial(input, context)).value)),
      unwrapMaterial: async (input, context) =>
        await wrapper.unwrapMaterial({ ...input, wrapped: flipFirst(input.wrapped) }, context),
    })),
  },
];

const AGREEMENT_PLANTS: readonly Plant[] = [
  {
    test: `${ECDH}agree gives what the other party gets, from each handle, in a buffer of the caller's own`,
    fault: "a secret without its leading zeros",
    spoil: withAbility("agreement", (agreement) => ({
      agree: async (input, context) => {
        const { value } = await agreement.agree(input, context);
        return answer(value[0] === 0 ? Buffer.from(Uint8Array.from(value.subarray(1)).buffer) : value);
      },
    })),
  },
  {
    test: `${ECDH}another key agrees on another secret`,
    fault: "one secret for all",
    spoil: withAbility("agreement", () => ({ agree: some })),
  },
  {
    test: `${ECDH}a peer's key of another curve, off the curve, of low order, or in another form is INVALID`,
    fault: "no check of the curve",
    spoil: withAbility("agreement", (agreement) => ({
      agree: async (input, context) => {
        const isCurve = input.peerPublicKey.length > 100; // keys of P-384 and P-521
        return isCurve ? await some() : await agreement.agree(input, context);
      },
    })),
  },
];

const KEM_PLANTS: readonly Plant[] = [
  {
    test: `${KEM}decapsulate gives the secret that encapsulate gave, from each handle, another each time`,
    fault: "an encapsulation that it remembers",
    spoil: withAbility("encapsulation", (kem) => {
      let first: Promise<Answer<Encapsulated>> | undefined;
      return {
        encapsulate: async (input, context) => await (first ??= required(kem.encapsulate?.(input, context))),
      };
    }),
  },
  {
    test: `${KEM}decapsulate gives the secret that node:crypto encapsulated, in a buffer of the caller's own`,
    fault: "a pooled buffer",
    spoil: withAbility("encapsulation", (kem) => ({
      decapsulate: async (input, context) => answer(pooled((await kem.decapsulate(input, context)).value)),
    })),
  },
  {
    test: `${KEM}a changed ciphertext and another key give other secrets, the same each time, and no error`,
    fault: "an error for a ciphertext of the right length",
    spoil: withAbility("encapsulation", (kem) => ({
      decapsulate: async (input, context) => {
        if (input.ciphertext.every((byte) => byte === 0)) throw new Error("not of this key");
        return await kem.decapsulate(input, context);
      },
    })),
  },
  {
    test: `${KEM}a changed ciphertext and another key give other secrets, the same each time, and no error`,
    fault: "one secret for all that do not fit",
    spoil: withAbility("encapsulation", () => ({ decapsulate: some })),
  },
  {
    test: `${KEM}a ciphertext of another length is INVALID`,
    fault: "a secret for any length",
    spoil: withAbility("encapsulation", (kem) => ({
      decapsulate: async (input, context) => await rather(kem.decapsulate(input, context), await some()),
    })),
  },
];

const PUBLIC_KEY_PLANTS: readonly Plant[] = [
  {
    test: `${EC}the public key is SPKI DER of its kind, the same from each handle, and another for each key`,
    fault: "a bare point",
    spoil: withAbility("publicKeys", (keys) => ({
      publicKey: async (ref, context) => answer((await keys.publicKey(ref, context)).value.subarray(-65)),
    })),
  },
  {
    test: `${EC}the public key is SPKI DER of its kind, the same from each handle, and another for each key`,
    fault: "one public key for all",
    spoil: withAbility("publicKeys", (keys) => {
      let first: ReturnType<typeof keys.publicKey> | undefined;
      return { publicKey: async (ref, context) => await (first ??= keys.publicKey(ref, context)) };
    }),
  },
  {
    test: "the public key of a key that does not exist is NOT_FOUND, and a call that has ended is CANCELLED",
    fault: "a signal that is not heard",
    spoil: withAbility("publicKeys", (keys) => ({ publicKey: async (ref) => await keys.publicKey(ref, call()) })),
  },
];

const IMPORT_PLANTS: readonly Plant[] = [
  ...(["EC-P256-SHA256", "HMAC-SHA-256"] as const).map((algorithm) => ({
    test: `${algorithm}: an imported key is enabled, carries its marker, and is the one that was brought`,
    fault: `a key for ${algorithm} made in place of the one that is brought`,
    spoil: withAbility("importer", (_, { keys }) => ({
      importKey: async (spec, context) => await keys.create(spec, context),
    })),
  })),
  {
    test: `${EC}bytes that are no key of it are INVALID, and leave the marker to one that is`,
    fault: "a key made of anything",
    spoil: withAbility("importer", (importer, { keys }) => ({
      importKey: async (spec, context) =>
        await importer.importKey(spec, context).catch(async () => await keys.create(spec, context)),
    })),
  },
  {
    test: `${EC}bytes that are no key of it are INVALID, and leave the marker to one that is`,
    fault: "a key without its last byte that is taken",
    spoil: withAbility("importer", (importer) => ({
      importKey: async (spec, context) => {
        const { material } = spec;
        const isLonger = material.length === (material[2] ?? 0) + 4;
        return await importer.importKey({ ...spec, material: isLonger ? material.subarray(0, -1) : material }, context);
      },
    })),
  },
  {
    test: "an import answers the key that carries the marker already, and as many at once make one",
    fault: "a new key each time",
    spoil: withAbility("importer", (importer) => ({
      importKey: async (spec, context) =>
        await importer.importKey({ ...spec, marker: `x-${randomBytes(8).toString("hex")}` }, context),
    })),
  },
  {
    test: "an import whose signal has fired rejects as CANCELLED",
    fault: "a signal that is not heard",
    spoil: withAbility("importer", (importer) => ({
      importKey: async (spec) => await importer.importKey(spec, call()),
    })),
  },
];

const RESTRICTION_PLANTS: readonly Plant[] = [
  {
    test: "a restricted key protects nothing, opens and checks as before, and protects again once it is enabled",
    fault: "a restricted key that signs",
    spoil: withAbility("signer", () => ({ sign: some })),
  },
  {
    test: "a restricted key protects nothing, opens and checks as before, and protects again once it is enabled",
    fault: "a restriction that disables",
    spoil: (provider) => ({
      keys: {
        ...provider.keys,
        restrict: async (ref, context) => ({
          ...(await provider.keys.disable(ref, context)),
          observed: "process-only",
        }),
      },
      describe: async (ref, context) => {
        const one = await provider.describe(ref, context);
        return one.observed === "disabled" ? { ...one, observed: "process-only" } : one;
      },
    }),
  },
  {
    test: "restrict may be repeated, and leads from a disabled key too",
    fault: "a second restriction that fails",
    spoil: (provider) => ({
      keys: {
        ...provider.keys,
        restrict: async (ref, context) => {
          const { observed } = await provider.describe(ref, context);
          if (observed === "process-only" || provider.keys.restrict === undefined) throw new Error("again");
          return await provider.keys.restrict(ref, context);
        },
      },
    }),
  },
  {
    test: "a key whose destruction is scheduled is not restricted: STATE",
    fault: "a restriction in any state",
    spoil: (provider) => ({
      keys: { ...provider.keys, restrict: async (ref, context) => await provider.describe(ref, context) },
    }),
  },
];

const EXPORT_PLANTS: readonly Plant[] = [
  {
    test: `${EC}what was brought and may leave comes out wrapped, as it was`,
    fault: "a changed byte of the wrap",
    spoil: withAbility("exporter", (exporter) => ({
      exportKey: async (input, context) => answer(flipFirst((await exporter.exportKey(input, context)).value)),
    })),
  },
  {
    test: "a key that was made extractable leaves, and can be brought back as another",
    fault: "a wish to be extractable that is not heard",
    spoil: ({ keys }) => ({
      keys: { ...keys, create: async (spec, context) => await keys.create({ ...spec, extractable: false }, context) },
    }),
  },
  {
    test: "a key that was not made extractable never leaves: DENIED",
    fault: "keys that may all leave",
    spoil: ({ keys }) => ({
      keys: { ...keys, create: async (spec, context) => await keys.create({ ...spec, extractable: true }, context) },
    }),
  },
  {
    test: "a key under which nothing is wrapped well is INVALID: another kind, a short one, a private one, garbage",
    fault: "a wrapping key that nobody looks at",
    spoil: withAbility("exporter", (exporter) => ({
      exportKey: async (input, context) => await rather(exporter.exportKey(input, context), await some()),
    })),
  },
  {
    test: "a disabled key does not leave: STATE; enabled again it does",
    fault: "a disabled key that leaves",
    spoil: withAbility("exporter", (exporter) => ({
      exportKey: async (input, context) => await rather(exporter.exportKey(input, context), await some()),
    })),
  },
  {
    test: "an export whose signal has fired rejects as CANCELLED",
    fault: "a signal that is not heard",
    spoil: withAbility("exporter", (exporter) => ({
      exportKey: async (input) => await exporter.exportKey(input, call()),
    })),
  },
];

/** Abilities that look at no row. */
const UNDECLARED_PLANTS: readonly Plant[] = [
  ["sign", withAbility("signer", () => ({ sign: some }))],
  ["verify", withAbility("signer", () => ({ verify: yes }))],
  ["wrap-material", withAbility("materialWrapper", () => ({ wrapMaterial: some }))],
  ["unwrap-material", withAbility("materialWrapper", () => ({ unwrapMaterial: some }))],
  ["agree", withAbility("agreement", () => ({ agree: some }))],
  [
    "encapsulate",
    withAbility("encapsulation", () => ({
      encapsulate: async () =>
        await Promise.resolve(answer({ ciphertext: Buffer.alloc(768), sharedSecret: Buffer.alloc(32) })),
    })),
  ],
  ["decapsulate", withAbility("encapsulation", () => ({ decapsulate: some }))],
  ["export", withAbility("exporter", () => ({ exportKey: some }))],
  [
    "import",
    withAbility("importer", (_, { keys }) => ({
      importKey: async (spec, context) => await keys.create({ ...spec, algorithm: "AES-KWP" }, context),
    })),
  ],
].map(([operation, spoil]) => ({
  test: `${operation as string} refuses every algorithm that is not declared, before the call`,
  fault: `a ${operation as string} that looks at no row`,
  spoil: spoil as NonNullable<Plant["spoil"]>,
}));

/** Faults in the abilities that are more than encrypting, MACs and wrapping for recipients. */
export const ABILITY_PLANTS: readonly Plant[] = [
  ...SIGNER_PLANTS,
  ...OAEP_PLANTS,
  ...MATERIAL_PLANTS,
  ...AGREEMENT_PLANTS,
  ...KEM_PLANTS,
  ...PUBLIC_KEY_PLANTS,
  ...IMPORT_PLANTS,
  ...EXPORT_PLANTS,
  ...RESTRICTION_PLANTS,
  ...UNDECLARED_PLANTS,
  {
    test: "every declared use at once, of each key and from each handle, gives what it gives alone",
    fault: "a secret that changes from call to call",
    spoil: withAbility("agreement", () => ({ agree: async () => await Promise.resolve(answer(randomBytes(32))) })),
  },
];
