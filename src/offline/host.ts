/** What commands without a gateway read of the process. */
export type OfflineHost = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Reads a file that a configuration points to. */
  readonly readText: (path: string) => string;
};
