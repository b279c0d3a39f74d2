/** The wire-level fake of AWS KMS in a process of its own, so that its work is in nobody's figures. Prints its endpoint as JSON, and serves until it is told to stop. */
import { openAwsKmsFake } from "../test/fakes/aws-kms/fake.ts";

const fake = await openAwsKmsFake();
process.stdout.write(`${JSON.stringify({ region: fake.region, endpoint: fake.endpoint })}\n`);
process.once("SIGTERM", () => {
  void fake[Symbol.asyncDispose]();
});
