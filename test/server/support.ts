import { digestOf, type Digest } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { collect, streamOf } from "../../src/oci/stream.ts";
import { createRegistry, type RegistryOptions } from "../../src/server/registry.ts";
import { memoryStorage } from "../../src/server/storage/memory.ts";
import type { Method, Transport } from "../../src/transport/transport.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
  readonly text: string;
  /** The JSON body. */
  readonly json: unknown;
  /** The code of the first error in the body. */
  readonly code: string | undefined;
}

export interface Sending {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | object;
  /** Sends the body in chunks, without a length. */
  readonly chunked?: boolean;
}

/** Sends requests to a registry in process. */
export type Send = (method: Method, path: string, sending?: Sending) => Promise<Answer>;

export function sender(transport: Transport): Send {
  return async (method, path, { headers = {}, body, chunked = false } = {}) => {
    const bytes = body === undefined ? undefined : bytesOf(body);
    const response = await transport({
      method,
      url: new URL(path, "http://registry.test"),
      headers,
      ...(bytes && { body: { open: async () => streamOf(bytes), ...(!chunked && { size: bytes.byteLength }) } }),
    });
    return answerOf(response.status, response.headers, await collect(response.body, 1e9));
  };
}

function answerOf(status: number, headers: Readonly<Record<string, string>>, bytes: Uint8Array): Answer {
  const text = Buffer.from(bytes).toString();
  const json = (): unknown => JSON.parse(text);
  return {
    status,
    headers,
    bytes,
    text,
    get json() {
      return json();
    },
    get code() {
      return (json() as { errors: { code: string }[] }).errors[0]?.code;
    },
  };
}

function bytesOf(body: Uint8Array | string | object): Uint8Array {
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

/** A registry in memory and a way to talk to it. */
export function testRegistry(options: Partial<RegistryOptions> = {}): {
  readonly send: Send;
  readonly transport: Transport;
} {
  const { transport } = createRegistry({ storage: memoryStorage(), ...options });
  return { transport, send: sender(transport) };
}

export async function pushBlob(send: Send, name: string, content: Uint8Array | string): Promise<Digest> {
  const bytes = bytesOf(content);
  const digest = digestOf(bytes);
  const { status } = await send("POST", `/v2/${name}/blobs/uploads/?digest=${digest}`, { body: bytes });
  if (status !== 201) throw new Error(`the push of ${digest} was answered ${status}`);
  return digest;
}

/** An image manifest whose config and layers are in the repository, with whatever else is said about it. */
export async function imageManifest(
  send: Send,
  name: string,
  more: object = {},
): Promise<{ body: string; digest: Digest; mediaType: string }> {
  const config = await pushBlob(send, name, "{}");
  const layer = await pushBlob(send, name, "a layer");
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: config, size: 2 },
    layers: [{ mediaType: mediaTypes.ociLayer, digest: layer, size: 7 }],
    ...more,
  });
  return { body, digest: digestOf(body), mediaType: mediaTypes.ociManifest };
}

/** Pushes an image under a tag or its digest; returns its digest. */
export async function pushImage(send: Send, name: string, tag?: string, more: object = {}): Promise<Digest> {
  const { body, digest, mediaType } = await imageManifest(send, name, more);
  const { status, text } = await send("PUT", `/v2/${name}/manifests/${tag ?? digest}`, {
    body,
    headers: { "content-type": mediaType },
  });
  if (status !== 201) throw new Error(`the push of ${name}:${tag ?? digest} was answered ${status}: ${text}`);
  return digest;
}
