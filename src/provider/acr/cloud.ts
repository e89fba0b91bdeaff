import { apiHost } from "../../oci/reference.ts";

/** One of Azure's clouds: they share nothing, not even logins. */
export interface Cloud {
  /** Where Microsoft Entra ID issues tokens. */
  readonly authority: string;
  /** Azure Resource Manager, which is the audience of its tokens too. */
  readonly management: string;
}

/** What the registries of all clouds take tokens for. */
export const registryAudience = "https://containerregistry.azure.net";

const clouds: Readonly<Record<string, Cloud>> = {
  io: { authority: "https://login.microsoftonline.com", management: "https://management.azure.com" },
  cn: { authority: "https://login.chinacloudapi.cn", management: "https://management.chinacloudapi.cn" },
  us: { authority: "https://login.microsoftonline.us", management: "https://management.usgovcloudapi.net" },
};

/** `NAME.azurecr.io`, with the hash of its domain name label where it has one, and its endpoints by region. */
const registryHost = /^[a-z0-9]{5,50}(?:-[a-z0-9]+)?(?:\.[a-z0-9]+\.geo)?\.azurecr\.(io|cn|us)(?::443)?$/i;

/** Whether a host (`name[:port]`) is a registry; those that only serve data are not. */
export function isRegistryHost(host: string): boolean {
  return registryHost.test(host);
}

/** The cloud of a registry: the public one for hosts that only the user says are registries of Azure. */
export function cloudOf(host: string): Cloud {
  return clouds[registryHost.exec(host)?.[1]?.toLowerCase() ?? "io"]!;
}

/** The registry's name in Azure: `contoso` of `contoso-abc123.westus.geo.azurecr.io`. */
export function registryName(host: string): string {
  return /^[a-z0-9]+/i.exec(host)?.[0] ?? host;
}

/** Its host without what an endpoint of a region adds: what Azure calls the login server. */
export function loginServer(host: string): string {
  return apiHost(host)
    .toLowerCase()
    .replace(/\.[a-z0-9]+\.geo(?=\.azurecr\.)/, "")
    .replace(/:443$/, "");
}
