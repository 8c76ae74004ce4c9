# An image that answers, with the light install of docs/install.md:
#
#     docker build --tag fourlayers .
#     docker run --rm fourlayers sentiment "A lovely film."
#     docker run --rm --volume "$PWD:/work" fourlayers mnist digit.png
#     docker run --rm --volume "$PWD:/work" fourlayers translate --file lines.txt --run model.zip
#
# Another command takes another entry point:
#
#     docker run --rm --entrypoint fourlayers fourlayers runs
#     docker run --rm --publish 127.0.0.1:8000:8000 --env FOURLAYERS_TOKEN --entrypoint fourlayers fourlayers serve --host 0.0.0.0
FROM python:3.12-slim

COPY requirements/predict.txt requirements/serve.txt /source/requirements/
RUN pip install --no-cache-dir --no-deps --no-compile -r /source/requirements/predict.txt
RUN pip install --no-cache-dir --no-compile -r /source/requirements/serve.txt
COPY pyproject.toml setup.py README.md LICENSE cli.py /source/
COPY data /source/data
COPY layers /source/layers
COPY tasks /source/tasks
RUN pip install --no-cache-dir --no-deps --no-compile /source
RUN fourlayers predict translate "A dog runs." && fourlayers predict caption /source/tasks/mnist/example.png

RUN useradd --create-home --uid 10001 answers
USER answers
WORKDIR /work
ENTRYPOINT ["fourlayers", "predict"]
CMD ["--help"]
