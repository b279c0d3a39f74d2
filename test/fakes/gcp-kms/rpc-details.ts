import { protos } from "@google-cloud/kms";

/** One entry of the details of a google.rpc.Status: google/rpc/error_details.proto. */
export type Detail =
  | { readonly kind: "precondition"; readonly type: string; readonly subject: string; readonly description: string }
  | { readonly kind: "retry"; readonly delayMs: number }
  | {
      readonly kind: "error-info";
      readonly reason: string;
      readonly domain: string;
      readonly metadata: Readonly<Record<string, string>>;
    };

/** What the trailer `grpc-status-details-bin` holds: a google.rpc.Status. */
export const encodeStatus = (code: number, message: string, details: readonly Detail[]): Uint8Array =>
  protos.google.rpc.Status.encode({
    code,
    message,
    details: details.map((detail) => ({
      type_url: `type.googleapis.com/google.rpc.${TYPES[detail.kind]}`,
      value: encodeDetail(detail),
    })),
  }).finish();

const TYPES = { precondition: "PreconditionFailure", retry: "RetryInfo", "error-info": "ErrorInfo" } as const;

/** The SDK brings google.rpc.Status but not these messages, so their few fields are written here. */
const encodeDetail = (detail: Detail): Buffer => {
  switch (detail.kind) {
    case "precondition":
      return field(1, Buffer.concat([field(1, detail.type), field(2, detail.subject), field(3, detail.description)]));
    case "retry":
      return field(1, encodeDuration(detail.delayMs));
    case "error-info":
      return Buffer.concat([
        field(1, detail.reason),
        field(2, detail.domain),
        ...Object.entries(detail.metadata).map(([key, value]) =>
          field(3, Buffer.concat([field(1, key), field(2, value)])),
        ),
      ]);
  }
};

const encodeDuration = (ms: number): Uint8Array =>
  protos.google.protobuf.Duration.encode({ seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 }).finish();

/** A field of wire type 2, length-delimited. */
const field = (number: number, value: string | Uint8Array): Buffer => {
  const bytes = Buffer.from(value as Uint8Array);
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(bytes.length), bytes]);
};

const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
};
