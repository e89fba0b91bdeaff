import { RegistryError } from "../../index.ts";
import type { Cli } from "../cli.ts";
import type { Run } from "../command.ts";
import { hostOf } from "../host-or-image.ts";
import { repositoriesOf, writeRepositories } from "../repositories.ts";
import { listImages, listTags } from "../tags.ts";
import { longName } from "../option.ts";
import { usageOption, usageOptions } from "../table/usage-options.ts";
import { imagesOption, servicesOption } from "../table/service-options.ts";

export const run: Run<[place: string | undefined]> = async ([place], cli) => {
  if (cli.get(servicesOption)) return listServices(place, cli);
  if (place === undefined) {
    throw new RegistryError("INVALID", "nothing is named to list", {
      hint: "write HOST, HOST/PREFIX/ or HOST/REPOSITORY; gantry ls --services lists the services there are",
    });
  }
  if (cli.get(usageOption)) return (await import("../usage.ts")).listUsage(place, cli);
  const stray = usageOptions.find((option) => cli.given(option) !== undefined);
  if (stray) {
    throw new RegistryError("INVALID", `--${longName(stray.flags)} is of --usage`, {
      hint: `gantry ls --usage ${place}; what one image is made of: gantry tree IMAGE`,
    });
  }
  const bare = place.replace(/^docker:\/\//, "");
  const slash = bare.indexOf("/");
  const host = hostOf(slash < 0 ? bare : bare.slice(0, slash));
  const isPrefix = slash < 0 || bare.endsWith("/");
  if (host === undefined || !isPrefix) return cli.get(imagesOption) ? listImages(place, cli) : listTags(place, cli);
  if (cli.get(imagesOption)) {
    throw new RegistryError("INVALID", `--images is of a repository, and ${place} names none`, {
      hint: "write HOST/REPOSITORY",
    });
  }
  const client = await cli.client({ from: [host] });
  return writeRepositories(host, repositoriesOf(client, host, slash < 0 ? "" : bare.slice(slash + 1), cli), cli);
};

async function listServices(place: string | undefined, cli: Cli): Promise<void> {
  if (place !== undefined) {
    throw new RegistryError("INVALID", `--services lists all services, and needs no ${JSON.stringify(place)}`, {
      hint: `to see which one a registry belongs to: gantry doctor ${place}`,
    });
  }
  const { writeServices } = await import("../list-services.ts");
  return writeServices(cli);
}
