#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Downloads the official files of data sets into data/NAME, where ./experiments/prepare_data looks for them, and the
# weights that ./experiments/evaluate measures images with.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
table=${EBM_DATA_TABLE:-$here/files.txt}
to=$here
base_url=${EBM_DATA_MIRROR:-}
attempts=5

usage() {
  cat <<'TEXT'
usage: data/fetch.sh [--to DIR] [--base-url URL] [--table FILE] NAME...
  NAME        mnist, fashion_mnist, cifar10, cifar100, svhn or svhn_extra;
              inception: the weights of the network that FID is measured with (96 MB);
              animeface, lsun and stacked_mnist: says where they come from
  --to        folder to make NAME in (default: this script's)
  --base-url  take the files from URL/FILE instead of the official place (a mirror; default: $EBM_DATA_MIRROR)
  --table     what is downloaded (default: $EBM_DATA_TABLE, or data/files.txt)
A download that was cut off goes on where it stopped; each file's checksum is compared.
TEXT
}

fail() {
  echo "fetch.sh: $1" >&2
  exit "${2:-1}"
}

# An MD5 of 32 digits, or a SHA-256 of 64.
checksum_name() {  # SUM
  if [ ${#1} = 64 ]; then echo SHA-256; else echo MD5; fi
}
checksum_like() {  # SUM FILE
  if [ ${#1} = 64 ]; then sha256sum "$2"; else md5sum "$2"; fi | cut -d' ' -f1
}
has_sum() {  # FILE SUM
  [ "$(checksum_like "$2" "$1")" = "$2" ]
}

# curl's errors on stdout; on a terminal its rate, percent and ETA go there meanwhile.
curl_with_progress() {
  if [ -t 3 ]; then curl --write-out '%{errormsg}' "$@" 2>&3; else curl --silent --show-error "$@" 2>&1; fi
}

# Goes on with FILE.part until it is whole, or gives up: why is in $reason. A whole file may still be a wrong one.
download() {  # URL FILE SUM
  local part=$2.part attempt status resumed
  for ((attempt = 1; attempt <= attempts; ++attempt)); do
    resumed=no
    if [ -s "$part" ]; then
      if has_sum "$part" "$3"; then return 0; fi
      resumed=yes
    fi
    status=0
    reason=$(curl_with_progress --fail --location --connect-timeout 30 --speed-limit 1 --speed-time 60 \
      --continue-at - --output "$part" "$1") || status=$?
    case $status in
      0) if [ $resumed = no ] || has_sum "$part" "$3"; then return 0; else rm -f "$part"; fi ;;
      18 | 28 | 52 | 55 | 56 | 92) ;;  # cut off: go on from there
      33 | 36) rm -f "$part" ;;        # the server cannot go on: start anew
      *) if [[ $resumed = yes && $reason = *416* ]]; then rm -f "$part"; else return 1; fi ;;
    esac
    [ "$attempt" = 1 ] || sleep $((attempt - 1))
  done
  return 1
}

fetch_file() {  # NAME FILE SUM URL
  local file=$to/$1/$2
  if [ -e "$file" ] && has_sum "$file" "$3"; then
    echo "$file: is there"
    return
  fi
  echo "$file: from $4"
  download "$4/$2" "$file" "$3" ||
    fail "cannot download $4/$2 (${reason//$'\n'/ }); run this again to go on, or name a mirror with --base-url"
  if ! has_sum "$file.part" "$3"; then
    local found
    found=$(checksum_like "$3" "$file.part")
    rm -f "$file.part"
    fail "$4/$2 has $(checksum_name "$3") $found, not $3 (removed); run this again, or name a mirror with --base-url"
  fi
  mv "$file.part" "$file"
}

fetch() {  # NAME
  local name file sum url known=no
  while read -r name file sum url; do
    [ "$name" = "$1" ] || continue
    known=yes
    mkdir -p "$to/$1" || fail "cannot make the folder $to/$1; name another with --to"
    fetch_file "$name" "$file" "$sum" "${base_url:-$url}"
    case $file in
      *.tar.gz) tar -xzf "$to/$1/$file" -C "$to/$1" || fail "cannot unpack $to/$1/$file; is the disk full?" ;;
    esac
  done < <(grep -v '^#' "$table")
  [ $known = yes ] || fail "there is no data set '$1'; --help lists them" 2
}

point_to() {  # NAME
  case $1 in
    stacked_mnist) fail "stacked_mnist is made of mnist: data/fetch.sh mnist, then ./experiments/prepare_data --dataset stacked_mnist" ;;
    animeface) fail "animeface is at https://www.kaggle.com/datasets/splcher/animefacedataset (needs an account): unpack it, then ./experiments/prepare_data --dataset image_folder --from FOLDER --name animeface" ;;
    lsun) fail "LSUN is at http://dl.yf.io/lsun/scenes (bedroom_train_lmdb.zip, 43 GB, and bedroom_val_lmdb.zip): unzip them into data/lsun, then ./experiments/prepare_data --dataset lsun" ;;
  esac
}

exec 3>&1
names=()
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --to | --base-url | --table)
      [ $# -ge 2 ] || fail "$1 needs a value; --help says which" 2
      case $1 in
        --to) to=$2 ;;
        --base-url) base_url=$2 ;;
        --table) table=$2 ;;
      esac
      shift 2 ;;
    -*) fail "there is no option $1; --help lists them" 2 ;;
    *) names+=("$1"); shift ;;
  esac
done
[ ${#names[@]} -gt 0 ] || { usage >&2; exit 2; }
base_url=${base_url%/}
for tool in curl md5sum sha256sum tar; do
  command -v $tool >/dev/null || fail "$tool is missing; install it first"
done
for name in "${names[@]}"; do
  point_to "$name"
  fetch "$name"
done
