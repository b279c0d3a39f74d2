/** Signs what the gateway states to others: JSON Web Signatures in compact form (RFC 7515), EdDSA with Ed25519 (RFC 8037). */
export interface StatementSigner {
  /** Names the key, as checkpoints of the audit trail do. */
  readonly keyId: string;
  /** SPKI DER. */
  readonly publicKey: Buffer;
  /** The statement, signed; `type` goes into the header as `typ`. */
  sign(type: string, statement: object): string;
}
