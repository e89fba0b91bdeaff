import { isRegistryError, RegistryError } from "../../oci/error.ts";
import type { Call } from "../../store/store.ts";
import { deleteOne } from "../aws/delete.ts";
import { noAwsLogin } from "../aws/login.ts";
import { protocolService } from "../protocol.ts";
import type { Provider, ServiceContext } from "../provider.ts";
import type { ServiceRegistry } from "../service.ts";
import { openPublic, type EcrPublic } from "./api.ts";
import { deleteManifests, deleteTag, images } from "./images.ts";
import {
  createRepository,
  deleteRepository,
  describeRepository,
  labels,
  listRepositories,
  ownRepository,
  type OwnRepository,
} from "./repositories.ts";

interface Own {
  readonly ecr: EcrPublic;
  readonly at: OwnRepository;
}

type Open = (call?: Call) => Promise<EcrPublic | undefined>;

/** ECR Public by its own API for the repositories of this machine's AWS account; by the distribution API for all others. */
export function connectPublic(
  provider: Pick<Provider, "title" | "abilities">,
  context: ServiceContext,
): ServiceRegistry {
  const { host } = context;
  const base = protocolService(provider, context);
  let opened: EcrPublic | undefined;
  const open: Open = async (call) => (opened ??= await openPublic(context, host, call));
  return {
    ...base,
    ...ofAll(base, host, open),
    ...ofOwn(host, open),
  };
}

/** What goes by AWS's API for repositories of one's own, by the distribution API for all others. */
function ofAll(base: ServiceRegistry, host: string, open: Open) {
  const lookUp = async (name: string, call?: Call): Promise<Own | undefined> => {
    const ecr = await open(call);
    const at = ecr && (await ownRepository(ecr, name, call));
    return at && { ecr, at };
  };
  /** Who may not ask which names are its own may still pull as everybody does; nobody deletes so. */
  const find = async (name: string, call?: Call): Promise<Own | undefined> => {
    try {
      return await lookUp(name, call);
    } catch (error) {
      if (isRegistryError(error, "DENIED", "UNAUTHORIZED")) return undefined;
      throw error;
    }
  };
  const untag: ServiceRegistry["deleteTag"] = async (name, tag, call) => {
    const own = await lookUp(name, call);
    await (own ? deleteTag(own.ecr, own.at, tag, call) : base.deleteTag(name, tag, call));
  };
  const deleteAll: ServiceRegistry["deleteManifests"] = async function* (name, digests, call) {
    const own = await lookUp(name, call);
    yield* own ? deleteManifests(own.ecr, own.at, digests, call) : base.deleteManifests(name, digests, call);
  };
  return {
    deleteTag: untag,
    deleteManifests: deleteAll,
    repository: (name) => ({
      ...base.repository(name),
      deleteTag: (tag, call) => untag(name, tag, call),
      deleteManifest: (digest, call) => deleteOne(host, name, digest, deleteAll(name, [digest], call)),
    }),
    async describeRepository(name, call) {
      const own = await find(name, call);
      return own ? describeRepository(own.ecr, own.at, call) : base.describeRepository(name, call);
    },
    async *images(name, call) {
      const own = await find(name, call);
      yield* own ? images(own.ecr, own.at, call) : base.images(name, call);
    },
  } satisfies Partial<ServiceRegistry>;
}

/** What there is for repositories of one's own alone. */
function ofOwn(host: string, open: Open) {
  const login = async (call?: Call): Promise<EcrPublic> => {
    const ecr = await open(call);
    if (ecr) return ecr;
    throw noAwsLogin(host);
  };
  const need = async (name: string, call?: Call): Promise<Own> => {
    const ecr = await login(call);
    const at = await ownRepository(ecr, name, call);
    if (at) return { ecr, at };
    throw notOwn(host, name, await ecr.aliases(call));
  };
  return {
    async *listRepositories(prefix, call) {
      yield* listRepositories(await login(call), prefix, call);
    },
    async *repositories(prefix, call) {
      for await (const { name } of listRepositories(await login(call), prefix, call)) yield name;
    },
    async createRepository(name, call) {
      const { ecr, at } = await need(name, call);
      return createRepository(ecr, at, call);
    },
    async deleteRepository(name, call) {
      const { ecr, at } = await need(name, call);
      await deleteRepository(ecr, at, call);
    },
    async labels(name, call) {
      const { ecr, at } = await need(name, call);
      return labels(ecr, at, call);
    },
  } satisfies Partial<ServiceRegistry>;
}

function notOwn(host: string, name: string, aliases: ReadonlySet<string>): RegistryError {
  const own = [...aliases].filter((alias) => /^[\w.-]+$/.test(alias)).map((alias) => `${alias}/`);
  return new RegistryError("DENIED", `${host}/${name} is not of the account of the AWS login`, {
    host,
    hint: own.length > 0 ? `names of its own begin with ${own.join(" or ")}` : "it has no public registry yet",
  });
}
