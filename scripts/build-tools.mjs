// What a source build needs, and what to say when it is not there.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const MIN_CMAKE = [3, 21];

/** First line of `program --version`, undefined when the program does not run. */
function versionOf(program) {
  const { status, stdout, error } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return error === undefined && status === 0 ? stdout.split('\n', 1)[0] : undefined;
}

function isOlder(version, [minMajor, minMinor]) {
  const [, major, minor] = /(\d+)\.(\d+)/.exec(version) ?? [];
  return major === undefined || Number(major) < minMajor || (Number(major) === minMajor && Number(minor) < minMinor);
}

/** The programs that are missing or too old, in words; empty when a build can start. */
export function missingTools() {
  const missing = [];
  const cmake = versionOf('cmake');
  if (cmake === undefined) missing.push(`CMake ${MIN_CMAKE.join('.')} or later (there is no cmake)`);
  else if (isOlder(cmake, MIN_CMAKE)) missing.push(`CMake ${MIN_CMAKE.join('.')} or later (there is ${cmake})`);
  const isWindows = process.platform === 'win32';
  const compilers = process.env.CXX === undefined ? ['c++', 'g++', 'clang++'] : [process.env.CXX.split(' ')[0]];
  if (compilers.every((compiler) => versionOf(compiler) === undefined)) {
    const what = isWindows ? ' of MinGW-w64' : '';
    missing.push(`a C++20 compiler${what}: GCC 11, Clang 14 or later (there is no ${compilers.join(', no ')})`);
  }
  const make = isWindows ? 'mingw32-make' : 'make';
  if (['ninja', make].every((tool) => versionOf(tool) === undefined))
    missing.push(`${make} or Ninja (there is neither)`);
  return missing;
}

/** The command that installs all of it on this system. */
export function installCommand() {
  if (process.platform === 'darwin') return 'xcode-select --install && brew install cmake';
  if (process.platform === 'win32') {
    return 'winget install Kitware.CMake Ninja-build.Ninja BrechtSanders.WinLibs.POSIX.UCRT';
  }
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  if (/^ID(_LIKE)?=.*alpine/m.test(release)) return 'apk add cmake g++ make linux-headers';
  if (/^ID(_LIKE)?=.*(rhel|fedora|centos|amzn)/m.test(release)) return 'dnf install cmake gcc-c++ make';
  if (/^ID(_LIKE)?=.*suse/m.test(release)) return 'zypper install cmake gcc-c++ make';
  if (/^ID(_LIKE)?=.*arch/m.test(release)) return 'pacman -S cmake gcc make';
  return 'apt-get install cmake g++ make';
}
