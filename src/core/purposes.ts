/** What a key is for; immutable, one per key. */
export const PURPOSES = ["encrypt", "sign", "mac", "wrap", "agree", "kem"] as const;
export type Purpose = (typeof PURPOSES)[number];

/**
 * Operations on keys, with the purpose that has them and their kind: `protect` makes new protected data (only an active key, only its
 * primary version), `process` opens or checks what was made before (SP 800-57 part 1, originator and recipient usage).
 */
export const KEY_OPERATIONS = {
  encrypt: { purpose: "encrypt", kind: "protect" },
  decrypt: { purpose: "encrypt", kind: "process" },
  "reencrypt-from": { purpose: "encrypt", kind: "process" },
  "reencrypt-to": { purpose: "encrypt", kind: "protect" },
  "generate-data-key": { purpose: "encrypt", kind: "protect" },
  sign: { purpose: "sign", kind: "protect" },
  verify: { purpose: "sign", kind: "process" },
  mac: { purpose: "mac", kind: "protect" },
  "verify-mac": { purpose: "mac", kind: "process" },
  wrap: { purpose: "wrap", kind: "protect" },
  unwrap: { purpose: "wrap", kind: "process" },
  agree: { purpose: "agree", kind: "process" },
  encapsulate: { purpose: "kem", kind: "protect" },
  decapsulate: { purpose: "kem", kind: "process" },
} as const satisfies Record<string, { purpose: Purpose; kind: "protect" | "process" }>;

export type KeyOperation = keyof typeof KEY_OPERATIONS;
