import { GrpcFailure } from "./failure.ts";

/**
 * Refuses a request that its header `x-goog-request-params` sends elsewhere than its resource is, as the service does:
 * without the header a request goes to `global`.
 */
export const requireRoute = (resource: string | undefined, header: string | undefined): void => {
  const concerned = locationIn(resource ?? "") ?? "global";
  const sent = locationIn(decodeURIComponent(header ?? "")) ?? "global";
  if (concerned === sent) return;
  throw new GrpcFailure(
    "NOT_FOUND",
    `The request concerns location '${concerned}' but was sent to location '${sent}'. Either Cloud KMS is not available in '${concerned}' or the request was misrouted. gRPC clients must ensure that 'x-goog-request-params' is specified in request metadata. See https://cloud.google.com/kms/docs/grpc for more information.`,
  );
};

const locationIn = (text: string): string | undefined => /projects\/[^/]+\/locations\/([^/&]+)/.exec(text)?.[1];
