# kangbot's image. `docker build -t kangbot .`; docker-compose.yml says how it is run, docs/install.md how it is kept.
#
# Everything is installed by hash from requirements/*.txt, as wheels, so nothing is compiled and no compiler is needed.

FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ONLY_BINARY=:all: PIP_ROOT_USER_ACTION=ignore
WORKDIR /src

# The dependencies first: this layer changes with the lock file only.
COPY requirements/ requirements/
RUN python -m venv /tools && /tools/bin/pip install --no-deps --require-hashes -r requirements/build.txt \
 && python -m venv --without-pip /opt/kangbot \
 && /tools/bin/pip --python /opt/kangbot install --no-deps --require-hashes -r requirements/run.txt

COPY pyproject.toml README.md LICENSE ./
COPY kangbot/ kangbot/
COPY migrations/ migrations/
COPY config/ config/
RUN PIP_ONLY_BINARY='' /tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
 && /tools/bin/pip --python /opt/kangbot install --no-deps /wheel/*.whl
# Byte code only of what is imported: of ccxt's hundred exchanges that is one, of plotly nothing, for its page is a file.
RUN find /opt/kangbot/lib/python3.11/site-packages/ccxt /opt/kangbot/lib/python3.11/site-packages/plotly -name '*.pyc' -delete \
 && /opt/kangbot/bin/python -c 'from kangbot.venues.ccxt_lean import load; load("bybit")'

FROM python:3.11-slim-bookworm
# The root file system is read-only where it runs, so byte code is there already and is not written again.
ENV PATH=/opt/kangbot/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    KANGBOT_CONFIG=/etc/kangbot/kangbot.toml \
    KANGBOT_STATE_DIR=/var/lib/kangbot \
    KANGBOT_CONTROL__SOCKET=/run/kangbot/control.sock \
    CREDENTIALS_DIRECTORY=/run/secrets
RUN groupadd --gid 10001 kangbot \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/kangbot --shell /usr/sbin/nologin kangbot \
 && install -d -o kangbot -g kangbot -m 0700 /var/lib/kangbot /run/kangbot \
 && install -d -o kangbot -g kangbot -m 0755 /run/secrets/database /run/secrets/grafana \
 && install -d -o kangbot -g kangbot -m 0700 /run/secrets/control
COPY --from=build /opt/kangbot /opt/kangbot
COPY docker/entrypoint.sh docker/database-secrets.sh docker/grafana-secrets.sh /usr/local/bin/
# They come with the modes of the checkout, which under a umask of 027 or 077 are root's alone.
RUN chmod 0755 /usr/local/bin/entrypoint.sh /usr/local/bin/database-secrets.sh /usr/local/bin/grafana-secrets.sh
USER 10001:10001
WORKDIR /var/lib/kangbot
STOPSIGNAL SIGTERM
# Tables with years of rows are copied and brought up to date before the daemon is there to be asked: minutes, on one
# processor. The first answer ends the period, and a start that comes to nothing ends the container.
HEALTHCHECK --interval=30s --timeout=5s --start-period=1800s --retries=3 CMD ["python", "-m", "kangbot.control.alive"]
ENTRYPOINT ["entrypoint.sh"]
CMD ["run"]
