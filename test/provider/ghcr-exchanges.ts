import { userPassword } from "../../src/auth/credential.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { ghcr } from "../../src/provider/ghcr/provider.ts";
import type { ServiceRegistry } from "../../src/provider/service.ts";
import { recorded, serviceContext, type Exchange } from "./support.ts";

export const packages = "https://docs.github.com/en/rest/packages/packages";
const users = "https://docs.github.com/en/rest/users/users#get-a-user";
export const limits = "https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api";
export const api = "https://api.github.com";
export const login = userPassword("octocat", "ghp_secret");

export const hex = (digit: string): Digest => `sha256:${digit.repeat(64)}`;
export const [one, two, three] = [hex("1"), hex("2"), hex("3")];

export const organization: Exchange = {
  page: users,
  url: `${api}/users/octo-org`,
  answer: { login: "octo-org", type: "Organization" },
};
export const user: Exchange = { page: users, url: `${api}/users/octocat`, answer: { login: "octocat", type: "User" } };

/** As in "List package versions for a package owned by an organization". */
export const version = (id: number, name: string, tags: readonly string[]): unknown => ({
  id,
  name,
  url: `${api}/orgs/octo-org/packages/container/hello_docker/versions/${id}`,
  package_html_url: "https://github.com/orgs/octo-org/packages/container/package/hello_docker",
  created_at: "2020-08-19T01:34:14Z",
  updated_at: "2020-08-19T01:34:14Z",
  html_url: `https://github.com/orgs/octo-org/packages/container/hello_docker/${id}`,
  metadata: { package_type: "container", container: { tags } },
});

/** As in "List packages for an organization". */
export const listed = (owner: string, name: string): unknown => ({
  id: 197,
  name,
  package_type: "container",
  owner: { login: owner, id: 9919, type: "Organization" },
  version_count: 3,
  visibility: "private",
  url: `${api}/orgs/${owner}/packages/container/${name}`,
  created_at: "2020-05-19T22:19:11Z",
  updated_at: "2020-05-19T22:19:11Z",
  html_url: `https://github.com/orgs/${owner}/packages/container/package/${name}`,
});

export const versionsUrl = `${api}/orgs/octo-org/packages/container/hello_docker/versions`;
export const versions = (...answer: readonly unknown[]): Exchange => ({
  page: `${packages}#list-package-versions-for-a-package-owned-by-an-organization`,
  url: `${versionsUrl}?per_page=100`,
  answer,
});
export const deletion = (id: number, more: Partial<Exchange> = {}): Exchange => ({
  page: `${packages}#delete-package-version-for-an-organization`,
  method: "DELETE",
  url: `${versionsUrl}/${id}`,
  status: 204,
  ...more,
});

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
  const service = await ghcr.connect(serviceContext("ghcr.io", { transport, credential: login, ...more }));
  return { service, asked, sent };
}

export const failure = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );
