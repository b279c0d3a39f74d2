import { describe, expect, it } from "vitest";
import { offerText } from "#cli/offer-text.ts";

const row = (purpose: string, algorithm: string, operation: string, maxInputBytes: number) => ({
  purpose,
  algorithm,
  operation,
  maxInputBytes,
});

describe("what a provider offers, in one line", () => {
  it("tells purposes, the longest plaintext, quotas, and where there is more", () => {
    const offered = {
      provider: "aws-eu",
      operations: [
        row("encrypt", "AES-256-OPAQUE", "encrypt", 4096),
        row("encrypt", "AES-256-OPAQUE", "decrypt", 6144),
        row("sign", "ED25519", "sign", 4096),
        row("sign", "EC-P256-SHA256", "sign", 4096),
      ],
      quotas: [{ name: "symmetric", perSecond: 10_000 }],
    };
    expect(offerText(offered)).toBe(
      "encrypt (AES-256-OPAQUE), sign (2 algorithms); encrypts up to 4096 bytes; quota 10000/s symmetric; " +
        "all of it: npx claviger providers capabilities aws-eu",
    );
  });

  it("tells of no plaintexts and quotas where there are none", () => {
    const offered = { provider: "signer", operations: [row("sign", "ED25519", "sign", 1)], quotas: [] };
    expect(offerText(offered)).toBe("sign (ED25519); all of it: npx claviger providers capabilities signer");
  });
});
