/** The doors of the device that this command line talks to. */
import { type ApiMethods, apiMethods } from '#agents/api/methods';
import { type FactoryMethods, factoryMethods } from '#agents/hands/factory-methods';
import { socketPath } from '#agents/programs/layout';
import { type SocketClient, socketClient } from '#hal/remote/socket-client';

/** Where a device keeps its sockets; the simulator says another place in `ENIGM_RUN`. */
export const defaultRunDirectory = '/run/enigm';

export const runDirectoryOf = (option: string | undefined): string => option ?? process.env['ENIGM_RUN'] ?? defaultRunDirectory;

/** Uses the mind's door and closes it again. */
export const withDevice = async <T>(runDirectory: string, use: (client: SocketClient<ApiMethods>) => Promise<T>): Promise<T> => {
  const client = socketClient(apiMethods, socketPath(runDirectory, 'api'));
  try {
    return await use(client);
  } finally {
    client.close();
  }
};

/** Uses the factory's door, which a provisioned device does not have. */
export const withFactory = async <T>(
  runDirectory: string,
  use: (client: SocketClient<FactoryMethods>) => Promise<T>,
): Promise<T> => {
  const client = socketClient(factoryMethods, socketPath(runDirectory, 'factory'));
  try {
    return await use(client);
  } finally {
    client.close();
  }
};
