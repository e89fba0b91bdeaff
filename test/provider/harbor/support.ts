import { Secret } from "../../../src/auth/secret.ts";
import type { Credential } from "../../../src/auth/credential.ts";
import { harbor } from "../../../src/provider/harbor/provider.ts";
import type { ServiceContext } from "../../../src/provider/provider.ts";
import type { ServiceRegistry } from "../../../src/provider/service.ts";
import { streamOf } from "../../../src/oci/stream.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { instantClock } from "../../support/instant-clock.ts";
import { recorded, serviceContext, type Exchange } from "../support.ts";

/** Where Harbor's own source is, whose forms the exchanges have. */
export const source = "https://github.com/goharbor/harbor/blob/c50c7ddd6ea4e335a480b49c618281882ab7eec9/src";
export const swagger =
  "https://github.com/goharbor/harbor/blob/c50c7ddd6ea4e335a480b49c618281882ab7eec9/api/v2.0/swagger.yaml";
export const api = "https://harbor.example/api/v2.0";

export const robot: Credential = { kind: "basic", username: "robot$lib+ci", password: new Secret("s3cret") };

type More = Parameters<typeof serviceContext>[1];

/** A Harbor that answers what was recorded, to a robot. */
export async function harborOf(
  exchanges: readonly Exchange[],
  more: More = {},
): Promise<
  Pick<ReturnType<typeof recorded>, "asked" | "sent"> & {
    readonly service: ServiceRegistry;
    readonly warnings: string[];
  }
> {
  const { transport, asked, sent } = recorded(...exchanges);
  const warnings: string[] = [];
  const onWarning: ServiceContext["onWarning"] = (text) => void warnings.push(text);
  const context = { transport, credential: robot, clock: instantClock(), onWarning, ...more };
  return { service: await harbor.connect(serviceContext("harbor.example", context)), asked, sent, warnings };
}

/** An error as Harbor writes it (lib/http/error.go). */
export function failure(code: string, message: string): { readonly errors: readonly unknown[] } {
  return { errors: [{ code, message }] };
}

/** A Harbor with a list of so many entries, which counts how often it is asked. */
export function listing(
  total: number,
  entry: (index: number) => unknown,
  { counted = true }: { readonly counted?: boolean } = {},
): { readonly transport: Transport; readonly asked: URL[] } {
  const asked: URL[] = [];
  return {
    asked,
    transport: async ({ url }) => {
      asked.push(url);
      const size = Number(url.searchParams.get("page_size"));
      const start = (Number(url.searchParams.get("page")) - 1) * size;
      const length = Math.max(0, Math.min(size, total - start));
      const items = Array.from({ length }, (_, index) => entry(start + index));
      return {
        status: 200,
        headers: { "content-type": "application/json", ...(counted && { "x-total-count": String(total) }) },
        // Go writes null for a list without entries.
        body: streamOf(Buffer.from(JSON.stringify(length === 0 ? null : items))),
      };
    },
  };
}
