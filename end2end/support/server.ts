import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { PASSWORD } from './password';

const BINARY = process.env.SEND0_BINARY ?? resolve(__dirname, '../../target/debug/send0');
const START_MS = 90_000;

/** Variables meant for the tests mean nothing to the server, which refuses them by name. */
const ENVIRONMENT = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SEND0_')));

/** The product, on a data directory of its own. */
export class Server {
  /** Where it is, as it said itself. */
  url = '';
  /** The one-time link, as it said itself. */
  setupLink = '';
  /** What it wrote to standard error: one JSON object per line. */
  log = '';

  private constructor(
    private readonly data: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(): Promise<Server> {
    const data = await mkdtemp(join(tmpdir(), 'send0-e2e-'));
    const child = spawn(BINARY, ['serve', '--data', data, '--listen', 'localhost:0'], { env: ENVIRONMENT });
    const server = new Server(data, child);
    child.stderr!.on('data', (written) => (server.log += written));
    await server.announced();
    return server;
  }

  private announced(): Promise<void> {
    return new Promise((done, failed) => {
      const give = (why: string) => {
        this.child.kill('SIGKILL');
        failed(new Error(`send0 serve ${why}\n${this.log.slice(-4000)}`));
      };
      const late = setTimeout(() => give('did not say where it is'), START_MS);
      this.child.once('error', failed);
      this.child.once('exit', (code) => give(`ended with ${code}`));
      let said = '';
      this.child.stdout!.on('data', (written) => {
        said += written;
        this.url = /^send0 console is at (http:\/\/localhost:\d+)$/m.exec(said)?.[1] ?? '';
        this.setupLink = /^Set it up, once, at (\S+\/setup\/\S+)$/m.exec(said)?.[1] ?? '';
        if (this.url && this.setupLink) {
          clearTimeout(late);
          this.child.removeAllListeners('exit');
          done();
        }
      });
    });
  }

  async isHealthy(): Promise<boolean> {
    return fetch(`${this.url}/healthz`).then(
      (answer) => answer.ok,
      () => false,
    );
  }

  /** Another command on the same data, while the server runs. Gives what it printed. */
  async command<T>(words: string[], input = ''): Promise<T> {
    const child = spawn(BINARY, [...words, '--data', this.data], { env: ENVIRONMENT });
    child.stdin.end(input);
    const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    if (code !== 0) throw new Error(`send0 ${words.join(' ')} ended with ${code}: ${err}`);
    return JSON.parse(out) as T;
  }

  /** Makes one of send0's staff, and gives their mail address. */
  async operator(name: string): Promise<string> {
    const email = `ops-${name}@send0.dev`;
    await this.command(['operator', 'create', '--email', email, '--name', 'Ops'], `${PASSWORD}\n`);
    return email;
  }

  /** Makes the proofs of a person's sessions older than any that counts. */
  async ageProofs(email: string): Promise<void> {
    await this.asSuperuser(`update sessions set proved_at = 'epoch' where user_id = (select user_id from users where email = '${email}')`);
  }

  /** What no login may: SQL as the superuser of its PostgreSQL. */
  async asSuperuser(sql: string): Promise<void> {
    const { superuser } = JSON.parse(await readFile(join(this.data, 'logins.json'), 'utf8'));
    const socket = (await readFile(join(this.data, 'postgres/postmaster.pid'), 'utf8')).split('\n')[4];
    const words = ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h', socket, '-U', 'postgres', '-d', 'send0', '-c', sql];
    const child = spawn('psql', words, { env: { ...ENVIRONMENT, PGPASSWORD: superuser }, stdio: 'inherit' });
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`psql ended with ${code}`);
  }

  /** What the server itself called an error, or browsers reported against its policy. */
  complaints(): string[] {
    return this.log.split('\n').filter((line) => line.includes('"level":"ERROR"') || line.includes('content security policy'));
  }

  /** Asks it to stop, and gives its exit code. */
  async stop(): Promise<number | null> {
    const ended = this.child.exitCode === null ? once(this.child, 'exit') : [this.child.exitCode];
    this.child.kill('SIGTERM');
    const [code] = await ended;
    await rm(this.data, { recursive: true, force: true });
    return code;
  }
}
