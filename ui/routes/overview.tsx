import { EnvironmentService } from "@mpc/proto";
import { PageHead } from "../components/layout.tsx";
import { Outcome, Section } from "../components/section.tsx";
import { ENVIRONMENT_LOOKS, State } from "../components/state.tsx";
import { Empty, Middle } from "../components/text.tsx";
import { When } from "../components/time.tsx";
import type { Page } from "../page.ts";
import { load } from "../section.ts";

/** What exists, what is happening, and what went wrong. */
export const overview: Page = async ({ api, signal }) => {
  const environments = await load(
    api.client(EnvironmentService).listEnvironments({ pageSize: 50 }, { signal }),
  );
  return {
    title: "Overview",
    nav: "overview",
    watch: ["*"],
    body: (
      <>
        <PageHead title="Overview" />
        <Section id="environments" title="Environments">
          <Outcome of={environments}>
            {({ environments }) =>
              environments.length === 0
                ? <Empty command="mpctl env create dev --ttl 8h">There are no environments.</Empty>
                : (
                  <table class="table">
                    <thead>
                      <tr>
                        <th>Name</th>
                        <th>State</th>
                        <th>Age</th>
                      </tr>
                    </thead>
                    <tbody>
                      {environments.map(({ name, state, createTime }) => (
                        <tr key={name} id={name}>
                          <td>
                            <a href={`/${name}`}>
                              <Middle of={name.split("/")[1] ?? ""} />
                            </a>
                          </td>
                          <td>
                            <State of={ENVIRONMENT_LOOKS[state]} />
                          </td>
                          <td>
                            <When at={createTime} />
                          </td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                )}
          </Outcome>
        </Section>
      </>
    ),
  };
};
