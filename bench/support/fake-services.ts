import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** How many images the one repository of every service has. */
export const imageCount = 10_000;

/** A service as far as listing images goes, in the form of its documentation. */
export interface FakeService {
  /** As `hosts.HOST.provider` has it. */
  readonly provider: string;
  readonly repository: string;
  /** What the service's documentation allows at best. */
  readonly leastRequests: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly answer: (request: Asked) => Answer;
}

interface Asked {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly origin: string;
}

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

const start = Date.UTC(2026, 0, 1);
const indexes = Array.from({ length: imageCount }, (_, i) => i);
const digests = indexes.map((i) => `sha256:${createHash("sha256").update(`image ${i}`).digest("hex")}`);
const time = (i: number): string => new Date(start + i * 60_000).toISOString();
const pageOf = (page: number, size: number): readonly number[] => indexes.slice((page - 1) * size, page * size);
const absent: Answer = { status: 404, body: { message: "not found" } };

export const fakeServices: readonly FakeService[] = [
  {
    provider: "ecr",
    repository: "team/app",
    leastRequests: imageCount / 1000,
    env: { AWS_ACCESS_KEY_ID: "bench", AWS_SECRET_ACCESS_KEY: "bench", AWS_REGION: "eu-west-1" },
    answer({ headers, body }) {
      if (!headers["x-amz-target"]?.toString().endsWith(".DescribeImages")) return absent;
      const { nextToken = "1", maxResults = 100 } = JSON.parse(body) as { nextToken?: string; maxResults?: number };
      const page = Number(nextToken);
      const imageDetails = pageOf(page, maxResults).map((i) => ({
        registryId: "123456789012",
        repositoryName: "team/app",
        imageDigest: digests[i],
        imageTags: [`v${i}`],
        imageSizeInBytes: 1000 + i,
        imagePushedAt: (start + i * 60_000) / 1000,
        imageManifestMediaType: "application/vnd.oci.image.manifest.v1+json",
      }));
      const more = page * maxResults < imageCount && { nextToken: `${page + 1}` };
      return { headers: { "content-type": "application/x-amz-json-1.1" }, body: { imageDetails, ...more } };
    },
  },
  {
    provider: "artifact-registry",
    repository: "project/repository/app",
    leastRequests: 1,
    answer({ path }) {
      if (path !== "/v2/project/repository/app/tags/list") return absent;
      const manifest = Object.fromEntries(
        indexes.map((i) => [
          digests[i],
          {
            imageSizeBytes: `${1000 + i}`,
            layerId: "",
            mediaType: "application/vnd.oci.image.manifest.v1+json",
            tag: [`v${i}`],
            timeCreatedMs: `${start}`,
            timeUploadedMs: `${start + i * 60_000}`,
          },
        ]),
      );
      return { body: { child: [], manifest, name: "project/repository/app", tags: indexes.map((i) => `v${i}`) } };
    },
  },
  {
    provider: "dockerhub",
    repository: "team/app",
    leastRequests: imageCount / 100,
    answer({ path, query, origin }) {
      if (!path.endsWith("/namespaces/team/repositories/app/tags")) return absent;
      const [page, size] = [Number(query.get("page") ?? 1), Math.min(100, Number(query.get("page_size") ?? 10))];
      const results = pageOf(page, size).map((i) => ({
        name: `v${i}`,
        full_size: 1000 + i,
        digest: digests[i],
        tag_status: "active",
        tag_last_pushed: time(i),
        last_updated: time(i),
        images: [{ architecture: "amd64", os: "linux", digest: digests[i], size: 1000 + i }],
      }));
      const next = page * size < imageCount ? `${origin}${path}?page=${page + 1}&page_size=${size}` : null;
      return { body: { count: imageCount, next, previous: null, results } };
    },
  },
  {
    provider: "harbor",
    repository: "team/app",
    leastRequests: imageCount / 100,
    answer({ path, query }) {
      if (!path.endsWith("/projects/team/repositories/app/artifacts")) return absent;
      const [page, size] = [Number(query.get("page") ?? 1), Math.min(100, Number(query.get("page_size") ?? 10))];
      const body = pageOf(page, size).map((i) => ({
        digest: digests[i],
        size: 1000 + i,
        push_time: time(i),
        pull_time: "0001-01-01T00:00:00.000Z",
        type: "IMAGE",
        manifest_media_type: "application/vnd.oci.image.manifest.v1+json",
        tags: [{ name: `v${i}`, push_time: time(i), immutable: false }],
      }));
      const next = new URLSearchParams(query);
      next.set("page", `${page + 1}`);
      const link = page * size < imageCount && { link: `<${path}?${next.toString()}>; rel="next"` };
      return { headers: { "x-total-count": `${imageCount}`, ...link }, body };
    },
  },
  {
    provider: "quay",
    repository: "team/app",
    leastRequests: imageCount / 100,
    answer({ path, query }) {
      if (!/\/repository\/team\/app\/tag\/?$/.test(path)) return absent;
      const [page, size] = [Number(query.get("page") ?? 1), Math.min(100, Number(query.get("limit") ?? 50))];
      const tags = pageOf(page, size).map((i) => ({
        name: `v${i}`,
        manifest_digest: digests[i],
        size: 1000 + i,
        start_ts: start / 1000 + i * 60,
        last_modified: new Date(start + i * 60_000).toUTCString(),
        is_manifest_list: false,
      }));
      return { body: { tags, page, has_additional: page * size < imageCount } };
    },
  },
  {
    provider: "acr",
    repository: "team/app",
    leastRequests: imageCount / 1000,
    answer({ path, query }) {
      if (path !== "/acr/v1/team/app/_manifests") return absent;
      const size = Math.min(1000, Number(query.get("n") ?? 100));
      const first = query.get("last") === null ? 0 : digests.indexOf(query.get("last")!) + 1;
      const page = indexes.slice(first, first + size);
      const manifests = page.map((i) => ({
        digest: digests[i],
        imageSize: 1000 + i,
        createdTime: time(i),
        lastUpdateTime: time(i),
        architecture: "amd64",
        os: "linux",
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        tags: [`v${i}`],
        changeableAttributes: { deleteEnabled: true, writeEnabled: true, readEnabled: true, listEnabled: true },
      }));
      const last = page.at(-1);
      const more = last !== undefined && last + 1 < imageCount;
      const link = more && { link: `<${path}?last=${encodeURIComponent(digests[last]!)}&n=${size}>; rel="next"` };
      return { headers: { ...link }, body: { registry: "fake", imageName: "team/app", manifests } };
    },
  },
];

/** A fake that listens, and counts what it is asked. */
export interface Listening extends AsyncDisposable {
  readonly host: string;
  readonly requests: () => number;
}

/** Starts a fake service on a free port; every answer takes so many milliseconds. */
export async function serveFake({ answer }: FakeService, latency: number): Promise<Listening> {
  let requests = 0;
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // A host of this machine is asked for this before it is sent a body, to see whether it speaks TLS: real ones are not.
    if (request.url !== "/v2/") requests++;
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString();
    const origin = `http://${request.headers.host}`;
    const { pathname, searchParams } = new URL(request.url ?? "/", origin);
    const { headers } = request;
    const answered = answer({ path: decodeURIComponent(pathname), query: searchParams, headers, body, origin });
    await delay(latency);
    response.writeHead(answered.status ?? 200, { "content-type": "application/json", ...answered.headers });
    response.end(JSON.stringify(answered.body));
  };
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
