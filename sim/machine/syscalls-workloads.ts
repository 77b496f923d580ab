/**
 * Small programs for the recorder: what ordinary apps do, and what three kinds of attack do. The attacks are harmless:
 * they work in a folder of their own, over loopback, and ask the kernel for what it must refuse.
 *
 * Each comes in several makes (`variant`), so that a model is tried on programs that it did not learn from.
 */
import type { Recording } from './syscalls.ts';

export type Conduct = 'ordinary' | 'malware-like' | 'spyware-like' | 'tamper';

export interface Workload {
  readonly name: string;
  readonly conduct: Conduct;
  /** @param directory empty, its own; @param variant any whole number */
  recording(directory: string, variant: number): Recording;
}

/** Node.js is found by its path: the recorder gives programs no environment. */
const node = (script: string) => ({ program: process.execPath, words: ['--no-warnings', '-e', script] });
const perl = (script: string) => ({ program: 'perl', words: ['-e', script] });
const shell = (script: string) => ({ program: 'sh', words: ['-c', script] });

const workload = (
  name: string,
  conduct: Conduct,
  make: (directory: string, variant: number) => Omit<Recording, 'app'>,
): Workload => ({ name, conduct, recording: (directory, variant) => ({ app: name, ...make(directory, variant) }) });

/** Of a list, another one for each variant. */
const pick = <T>(from: readonly T[], variant: number): T => from[variant % from.length] as T;

const filesIn = (directory: string, count: number, bytes: number): string =>
  `mkdir "${directory}/d"; for $i (1..${count}) { open($f, ">", "${directory}/d/$i.txt"); print $f "x" x ${bytes}; close $f; }`;

const ordinary: readonly Workload[] = [
  workload('messenger', 'ordinary', (directory, variant) =>
    node(`
      const { DatabaseSync } = require('node:sqlite'); const http = require('node:http');
      const db = new DatabaseSync('${directory}/m.db'); db.exec('create table m (a text)');
      const server = http.createServer((q, r) => { q.resume(); q.on('end', () => r.end('y')); });
      server.listen(0, '127.0.0.1', async () => {
        for (let i = 0; i < ${6 + (variant % 7)}; i++) {
          await new Promise((go) => http.request({ port: server.address().port, method: 'POST' }, (r) => { r.resume(); r.on('end', go); }).end('x'.repeat(${pick([20, 3000, 40000], variant)})));
          db.prepare('insert into m values (?)').run('z'.repeat(${100 + variant * 10}));
        }
        server.closeAllConnections(); server.close(); db.close();
      });`),
  ),
  workload('notes', 'ordinary', (directory, variant) =>
    perl(`for $i (1..${12 + (variant % 9)}) { open($f, ">", "${directory}/n.new"); print $f "line\\n" x $i; close $f; rename "${directory}/n.new", "${directory}/n$i";
      ${variant % 2 === 0 ? '' : `unlink "${directory}/n".($i-3);`} opendir($d, "${directory}"); @n = readdir $d; closedir $d; open($f, "<", "${directory}/n$i"); @l = <$f>; close $f; }`),
  ),
  workload('archiver', 'ordinary', (directory, variant) =>
    shell(`cd ${directory}; mkdir d; for i in 1 2 3 4 5 6 7 8; do head -c ${2000 + variant * 999} /dev/zero >d/$i; done;
      ${pick(['tar cf a.tar d; tar tf a.tar; gzip a.tar', 'cp -r d e; du -s e; rm -r e', 'find d -type f | xargs wc -c; sort /etc/passwd >s', 'mv d f; cat f/* | gzip >z; gunzip -t z; rm -r f'], variant)}`),
  ),
  workload('console', 'ordinary', (directory, variant) =>
    shell(
      `cd ${directory}; ${pick(['ls -l /usr/bin >l; grep -c a l; sed -n 1,9p l; wc -l l', 'date; id -u; uname -a; ps; df .', 'echo a | tr a b; seq 99 | sort -r | head -5 >x; touch x; chmod 600 x; stat x; rm x', 'cat /etc/hostname; env | sort | cut -d= -f1; sleep 0.01; dirname /a/b'], variant)}`,
    ),
  ),
  workload('fetcher', 'ordinary', (_, variant) =>
    perl(`use Socket; socket($s, PF_INET, SOCK_STREAM, 0); bind($s, sockaddr_in(0, INADDR_LOOPBACK)); listen($s, 5); $p = (sockaddr_in(getsockname($s)))[0];
      if (fork == 0) { for (1..${5 + (variant % 6)}) { accept($c, $s); sysread $c, $b, 999; syswrite $c, "y" x ${pick([100, 5000, 30000], variant)}; close $c; } exit; }
      for (1..${5 + (variant % 6)}) { socket($c, PF_INET, SOCK_STREAM, 0); setsockopt($c, SOL_SOCKET, SO_KEEPALIVE, 1); connect($c, sockaddr_in($p, INADDR_LOOPBACK)); syswrite $c, "GET"; 1 while sysread $c, $b, 4096; close $c; } wait;`),
  ),
  workload('clockwork', 'ordinary', (directory, variant) =>
    perl(
      `$SIG{ALRM} = sub { $n++ }; for (1..${20 + (variant % 11)}) { select(undef, undef, undef, 0.001); time; stat "${directory}"; -e "/etc/hosts"; ${variant % 3 === 0 ? 'alarm 9; alarm 0;' : 'times;'} }`,
    ),
  ),
  workload('database', 'ordinary', (directory, variant) =>
    node(`const { DatabaseSync } = require('node:sqlite'); const db = new DatabaseSync('${directory}/a.db'); db.exec('${variant % 2 === 0 ? 'pragma journal_mode = wal;' : ''} create table t (a, b)');
      for (let i = 0; i < ${9 + (variant % 5)}; i++) { db.exec('begin'); for (let j = 0; j < 9; j++) db.prepare('insert into t values (?, ?)').run(i, 'q'.repeat(300)); db.exec('commit'); db.prepare('select count(*) from t').get(); } db.exec('vacuum'); db.close();`),
  ),
  workload('viewer', 'ordinary', (directory, variant) =>
    node(`const fs = require('node:fs'); for (let i = 0; i < ${15 + (variant % 7)}; i++) fs.writeFileSync('${directory}/' + i, 'z'.repeat(i * 500));
      for (const f of fs.readdirSync('${directory}')) { fs.statSync('${directory}/' + f); ${variant % 2 === 0 ? `fs.readFileSync('${directory}/' + f)` : `fs.promises.readFile('${directory}/' + f)`}; } setTimeout(() => {}, 5);`),
  ),
  workload('caller', 'ordinary', (_, variant) =>
    node(`const dgram = require('node:dgram'); const a = dgram.createSocket('udp4'); const b = dgram.createSocket('udp4'); let n = 0;
      a.on('message', (m, from) => a.send(m, from.port)); b.on('message', () => (++n > ${20 + variant} ? (a.close(), b.close()) : b.send(Buffer.alloc(${pick([160, 640, 1200], variant)}), a.address().port)));
      a.bind(0, '127.0.0.1', () => b.bind(0, '127.0.0.1', () => b.send('hello', a.address().port)));`),
  ),
  workload('gallery', 'ordinary', (directory, variant) =>
    node(`const fs = require('node:fs'); fs.mkdirSync('${directory}/g'); const w = fs.watch('${directory}/g', () => {}); const z = require('node:zlib');
      for (let i = 0; i < ${8 + (variant % 5)}; i++) { fs.writeFileSync('${directory}/g/p' + i, z.gzipSync(Buffer.alloc(9999, i))); fs.renameSync('${directory}/g/p' + i, '${directory}/g/q' + i); ${variant % 2 === 0 ? `fs.copyFileSync('${directory}/g/q' + i, '${directory}/g/r' + i);` : `fs.unlinkSync('${directory}/g/q' + i);`} }
      setTimeout(() => w.close(), 5);`),
  ),
  workload('mailbox', 'ordinary', (directory, variant) =>
    perl(`use Socket; mkdir "${directory}/new"; mkdir "${directory}/cur"; socketpair($a, $b, AF_UNIX, SOCK_STREAM, 0); if (fork == 0) { for (1..${9 + (variant % 4)}) { syswrite $b, "From: x\n" x 40; select(undef, undef, undef, 0.0005); } exit; } close $b;
      while (sysread $a, $m, 999) { $i++; open($f, ">", "${directory}/new/$i"); print $f $m; close $f; syscall(74, 3) if ${variant % 2}; rename "${directory}/new/$i", "${directory}/cur/$i"; utime time, time, "${directory}/cur/$i" if ${variant % 3 === 0 ? 1 : 0}; } wait; for (glob "${directory}/cur/*") { open($f, "<", $_); 1 while <$f>; close $f; unlink if ${variant % 2}; }`),
  ),
  // Everything that the attacks below need before they begin, so that a model learns what they do and not how they start.
  workload('organizer', 'ordinary', (directory, variant) =>
    perl(`use Socket; ${filesIn(directory, 9 + variant * 2, pick([100, 300, 900], variant))} opendir($d, "${directory}/d"); for $n (grep { !/^\\./ } readdir $d) { $p = "${directory}/d/$n"; stat $p; open($f, "<", $p); sysread $f, $b, 4096; close $f; } closedir $d;
      for (glob "${directory}/d/*") { -s $_; } ${variant % 2 === 0 ? 'if (fork == 0) { exec "true"; } wait;' : 'open($s, "<", "/bin/true"); binmode $s; read $s, $b, 99999; select(undef, undef, undef, 0.001);'}
      ${variant % 3 === 0 ? `socket($u, PF_INET, SOCK_DGRAM, 0); send($u, "hello", 0, sockaddr_in(9, INADDR_LOOPBACK));` : `open($f, "<", "/proc/self/cmdline"); sysread $f, $b, 99; close $f;`}`),
  ),
];

/** Calls by their x86-64 number, as Perl makes them: the kernel refuses each of them for its arguments. */
const refusedCalls = {
  ptrace: 'syscall(101, 16, 999999999, 0, 0);',
  initModule: 'syscall(175, 0, 0, 0);',
  finitModule: 'syscall(313, -1, 0, 0);',
  deleteModule: 'syscall(176, 0, 0);',
  bpf: 'syscall(321, 9999, 0, 0);',
  kexec: 'syscall(246, 0, -1, 0, 0);',
  mount: 'syscall(165, 0, 0, 0, -1, 0);',
  umount: 'syscall(166, 0, 0);',
  setns: 'syscall(308, -1, 0);',
  kernelLog: 'syscall(103, 99, 0, 0);',
  processRead: 'syscall(310, 999999999, 0, 0, 0, 0, 0);',
  perfEvent: 'syscall(298, 0, 0, 0, -1, 0);',
} as const;

const attacks: readonly Workload[] = [
  workload('locker', 'malware-like', (directory, variant) => {
    const count = 24 + (variant % 9);
    const ends = pick([`rename "$p.k", $p;`, `unlink $p;`, `unlink $p; rename "$p.k", "$p.locked";`], variant);
    return variant % 3 === 2
      ? node(`const fs = require('node:fs'); fs.mkdirSync('${directory}/d'); for (let i = 0; i < ${count}; i++) fs.writeFileSync('${directory}/d/' + i, 'a'.repeat(700));
          for (const f of fs.readdirSync('${directory}/d')) { const p = '${directory}/d/' + f; const b = fs.readFileSync(p); const h = fs.openSync(p, 'r+'); fs.writeSync(h, b.map((x) => x ^ 9)); fs.fsyncSync(h); fs.closeSync(h); fs.renameSync(p, p + '.locked'); fs.chmodSync(p + '.locked', 0o400); }`)
      : perl(
          `${filesIn(directory, count, 900)} opendir($d, "${directory}/d"); for $n (grep { !/^\\./ } readdir $d) { $p = "${directory}/d/$n"; stat $p; sysopen($f, $p, 2); sysread $f, $b, 4096; sysopen($g, "$p.k", 65); $b ^= "k" x length $b; syswrite $g, $b; syscall(74, fileno $g); close $g; seek $f, 0, 0; syswrite $f, "\\0" x 900; syscall(74, fileno $f); close $f; ${ends} }`,
        );
  }),
  workload('dropper', 'malware-like', (_, variant) =>
    perl(`for (1..${3 + (variant % 3)}) { $f = syscall(319, $n = "x", 0); open($m, ">&=", $f); open($s, "<", "/bin/true"); binmode $s; read $s, $b, 99999; syswrite $m, $b;
      syscall(9, 0, 4096, 7, 34, -1, 0); ${variant % 2 === 0 ? 'syscall(10, 4096, 4096, 7);' : ''} ${variant % 3 === 0 ? 'syscall(157, 15, $n);' : ''} if (fork == 0) { syscall(112); exec "/proc/self/fd/$f"; exit } wait; }`),
  ),
  workload('listener', 'spyware-like', (directory, variant) =>
    perl(`use Socket; ${filesIn(directory, 9, 300)} socket($u, PF_INET, SOCK_DGRAM, 0); $a = sockaddr_in(9, INADDR_LOOPBACK); $i = syscall(294, 0); $p = "${directory}/d"; syscall(254, $i, $p, 4095);
      for (1..${12 + (variant % 6)}) { ${variant % 2 === 0 ? refusedCalls.processRead : 'open($e, "<", "/dev/input/event0");'} open($f, "<", "${directory}/d/$_.txt"); sysread $f, $b, 300; close $f; send($u, $b, 0, $a); select(undef, undef, undef, 0.001); }`),
  ),
  workload('harvester', 'spyware-like', (directory, variant) =>
    perl(`use Socket; ${filesIn(directory, 16, 200)} for $q (glob "/proc/[0-9]*") { last if $k++ > ${20 + (variant % 9)}; open($f, "<", "$q/cmdline"); sysread $f, $b, 999; close $f; readlink "$q/exe"; opendir($d, "$q/fd"); readdir $d; closedir $d; ${variant % 2 === 0 ? refusedCalls.processRead : ''} }
      socket($u, PF_INET, SOCK_DGRAM, 0); for (1..16) { open($f, "<", "${directory}/d/$_.txt"); sysread $f, $b, 999; close $f; send($u, $b, 0, sockaddr_in(9, INADDR_LOOPBACK)); }`),
  ),
  workload('unhooker', 'tamper', (_, variant) => {
    const { ptrace, initModule, finitModule, deleteModule, bpf, kexec, mount, umount, setns, kernelLog, perfEvent } =
      refusedCalls;
    const all = [ptrace, initModule, bpf, mount, deleteModule, kernelLog, setns, umount, finitModule, perfEvent, kexec];
    const chosen = [0, 1, 2, 3, 4, 5].map((offset) => pick(all, variant * 3 + offset));
    return perl(
      `for (1..${2 + (variant % 3)}) { ${chosen.join(' ')} ${variant % 2 === 0 ? 'open($f, "<", "/proc/kallsyms"); sysread $f, $b, 99; close $f;' : 'kill 0, 1;'} }`,
    );
  }),
  workload('eraser', 'tamper', (directory, variant) =>
    perl(
      `${filesIn(directory, 12, 100)} for $i (1..12) { $p = "${directory}/d/$i.txt"; truncate $p, 0; utime 1, 1, $p; ${variant % 2 === 0 ? refusedCalls.kernelLog : refusedCalls.ptrace} open($f, "+<", $p); syscall(16, fileno $f, 1074292226, 0); syscall(285, fileno $f, 3, 0, 10); close $f; chmod 0, $p; ${variant % 3 === 0 ? 'syscall(188, $p, 0, 0, 0, 0);' : ''} unlink $p; }`,
    ),
  ),
];

export const workloads: readonly Workload[] = [...ordinary, ...attacks];
