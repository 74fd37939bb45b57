# enlighten on the CPU: docker build -t enlighten . && docker run --rm -v "$PWD:/photos" enlighten night/ -o out/
# Its page: docker run --rm -p 8000:8000 enlighten serve --host 0.0.0.0 --port 8000 --no-open, and open what it prints
FROM python:3.11-slim

WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY enlighten_cli enlighten_cli
COPY weights weights
COPY man man
RUN pip install --no-cache-dir -c constraints.txt '.[cpu,serve]' && rm -rf /src/*

# Photos belong to whoever runs it: --user "$(id -u):$(id -g)" makes the results theirs.
ENV ENLIGHTEN_CACHE=/tmp/enlighten/cache ENLIGHTEN_DATA=/tmp/enlighten/data
USER 65534:65534
WORKDIR /photos
ENTRYPOINT ["enlighten"]
