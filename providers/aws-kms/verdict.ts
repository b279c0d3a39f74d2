import type { Answer } from "#core/provider.ts";
import { faultOf } from "./errors.ts";
import { type Answered, present, requestIdOf } from "./present.ts";

/** Verify and VerifyMac take 1 to this many bytes of signature or MAC (API reference): others fit nothing. */
const MAX_PROOF_BYTES = 6144;

type Verification<A extends Answered> = {
  /** The signature or MAC. */
  readonly proof: Uint8Array;
  /** What the service throws for one that does not fit. */
  readonly misfit: "KMSInvalidSignatureException" | "KMSInvalidMacException";
  readonly run: () => Promise<A>;
  /** The member of the answer that says that it fits. */
  readonly valid: (answer: A) => boolean | undefined;
};

/** What a verification found: one that does not fit is an error to the service, and an answer to us. */
export async function verdictOf<A extends Answered>({
  proof,
  misfit,
  run,
  valid,
}: Verification<A>): Promise<Answer<boolean>> {
  if (proof.length === 0 || proof.length > MAX_PROOF_BYTES) return { value: false, requestId: null };
  try {
    const answer = await run();
    return { value: present(valid(answer), { field: "a verdict", answer }), requestId: requestIdOf(answer) };
  } catch (error) {
    const { nativeCode, requestId = null } = faultOf(error);
    if (nativeCode === misfit) return { value: false, requestId };
    throw error;
  }
}
