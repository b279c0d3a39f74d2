/** What ran in this process has said what it had to say; its exit code is the command's. */
export class LocalExit extends Error {
  override readonly name = "LocalExit";
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}
