/** What a start gives an emulator: the one port to listen on, and an empty folder of its own. */
export type Place = { readonly port: number; readonly folder: string };

export type EmulatorKind = {
  readonly name: string;
  /** Whether it checks signatures and policies as AWS does; the others take any credentials, and none. */
  readonly auth: boolean;
  /** Its program, relative to `.emu/`. */
  readonly program: string;
  /** Answers 200 once requests are served. */
  readonly readyPath: string;
  environment(place: Place): Readonly<Record<string, string>>;
};

/** The emulators that `localstack/install.sh` installs. All listen on 127.0.0.1 alone and forget everything at a stop. */
export const EMULATORS: readonly EmulatorKind[] = [
  {
    name: "local-kms",
    auth: false,
    program: "local-kms",
    readyPath: "/health",
    environment: ({ port, folder }) => ({
      KMS_LISTEN: `127.0.0.1:${port}`,
      KMS_REGION: "us-east-1",
      KMS_DATA_PATH: folder,
    }),
  },
  ministack({ name: "ministack", auth: false, services: "kms" }),
  ministack({ name: "ministack-auth", auth: true, services: "kms,iam,sts" }),
];

function ministack(it: { readonly name: string; readonly auth: boolean; readonly services: string }): EmulatorKind {
  return {
    name: it.name,
    auth: it.auth,
    program: "python/bin/ministack",
    readyPath: "/_ministack/ready",
    environment: ({ port }) => ({
      BIND_HOST: "127.0.0.1",
      GATEWAY_PORT: String(port),
      SERVICES: it.services,
      // Its MQTT and SFTP servers know no BIND_HOST: they would listen on every interface.
      IOT_MTLS_ENABLED: "0",
      SFTP_ENABLED: "0",
      ...(it.auth ? { AUTH: "true" } : {}),
    }),
  };
}
