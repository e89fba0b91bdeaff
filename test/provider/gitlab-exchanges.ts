import { expect } from "vitest";
import { userPassword } from "../../src/auth/credential.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { gitlab } from "../../src/provider/gitlab/provider.ts";
import type { ServiceRegistry } from "../../src/provider/service.ts";
import { recorded, serviceContext, type Exchange } from "./support.ts";

export const registryPage = "https://docs.gitlab.com/api/container_registry";
export const projectsPage = "https://docs.gitlab.com/api/projects";
const graphqlPage = "https://docs.gitlab.com/api/graphql/reference";
export const troubleshooting = "https://docs.gitlab.com/api/rest/troubleshooting";
export const host = "registry.gitlab.com";
export const api = "https://gitlab.com/api/v4";
export const login = userPassword("octo", "glpat-secret");
export const job = userPassword("gitlab-ci-token", "job-secret");
export const deploy = userPassword("gitlab+deploy-token-1", "deploy-secret");

/** As in "List registry repositories". */
export const row = (id: number, path: string): Readonly<Record<string, unknown>> => ({
  id,
  name: path.split("/").slice(2).join("/"),
  path,
  project_id: 9,
  location: `${host}/${path}`,
  created_at: "2019-01-10T13:38:57.391Z",
  cleanup_policy_started_at: "2020-01-10T15:40:57.391Z",
  status: null,
});

export const repositories = (path: string, more: Partial<Exchange> = {}, kind = "projects"): Exchange => ({
  page: `${registryPage}#list-registry-repositories`,
  url: `${api}/${kind}/${encodeURIComponent(path)}/registry/repositories?per_page=100`,
  ...more,
});
export const none = (path: string, kind = "projects", query = ""): Exchange => ({
  page: troubleshooting,
  url: `${repositories(path, {}, kind).url}${query}`,
  status: 404,
  answer: { message: kind === "projects" ? "404 Project Not Found" : "404 Group Not Found" },
});

export const project = "group/project";
export const found = repositories(project, { answer: [row(1, project), row(2, `${project}/releases`)] });
export const tagsUrl = `${api}/projects/group%2Fproject/registry/repositories/1/tags`;

export interface Spoken {
  readonly service: ServiceRegistry;
  readonly asked: readonly string[];
  readonly sent: readonly Readonly<Record<string, string>>[];
}

export async function speak(
  exchanges: readonly Exchange[],
  more: Parameters<typeof serviceContext>[1] = {},
): Promise<Spoken> {
  const { transport, asked, sent } = recorded(...exchanges);
  const service = await gitlab.connect(serviceContext(host, { transport, credential: login, ...more }));
  return { service, asked, sent };
}

export const failure = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

export const hex = (digit: string): Digest => `sha256:${digit.repeat(64)}`;

/** An answer by GraphQL for any query that has a text in it. */
export interface Query {
  readonly has: string;
  readonly answer: unknown;
}

/** Answers queries in turn, and what else is asked as it was recorded; tells what came. */
export async function query(
  queries: readonly Query[],
  rest: readonly Exchange[] = [found],
): Promise<Spoken & { readonly bodies: string[] }> {
  const { transport, asked, sent } = recorded(...rest);
  const bodies: string[] = [];
  const waiting = [...queries];
  const service = await gitlab.connect(
    serviceContext(host, {
      credential: login,
      transport: async (request) => {
        if (request.url.href !== "https://gitlab.com/api/graphql") return transport(request);
        const chunks = await Array.fromAsync(await request.body!.open());
        const text = Buffer.concat(chunks).toString();
        const next = waiting.shift();
        expect(text).toContain(next?.has);
        bodies.push(text);
        return recorded({
          page: graphqlPage,
          method: "POST",
          url: request.url.href,
          sends: JSON.parse(text),
          answer: next?.answer,
        }).transport(request);
      },
    }),
  );
  return { service, asked, sent, bodies };
}

export const tooOld = {
  errors: [
    {
      message: "Field 'mediaType' doesn't exist on type 'ContainerRepositoryTag'",
      extensions: { code: "undefinedField" },
    },
  ],
};
